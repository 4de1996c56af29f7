import type { Command } from 'commander'

/** What each command is used for: a line of a shell, and what it does. */
export const EXAMPLES: Readonly<
  Record<string, readonly (readonly [line: string, does: string])[]>
> = {
  tagwarden: [
    ['tagwarden explain registry.example.com/acme/web', 'try it: nothing has to be set up'],
    ['tagwarden help select', 'what a command can do, with examples'],
  ],
  serve: [
    ['tagwarden serve', 'on a bundled registry and example policies, or ./tagwarden.yaml'],
    ['TAGWARDEN_LOG_LEVEL=debug tagwarden serve --config shop.yaml', 'with a configuration'],
  ],
  select: [
    [
      "printf 'v1.4.2\\nv2.0.0\\n' | tagwarden select --policy policies/web.yaml",
      'which tag the policy chooses, and why no other',
    ],
    [
      'tagwarden select --policy all.yaml --name web --tags tags.txt --output json',
      'one policy of several, for programs',
    ],
  ],
  explain: [
    ['tagwarden explain registry.example.com/acme/web:v1.3.0', 'what becomes of it, and why'],
    [
      'tagwarden explain ghcr.io/acme/web --policies policies/ --namespace shop',
      'by the policies of a folder, for a namespace',
    ],
    [
      'tagwarden explain ghcr.io/acme/web --cluster --kubeconfig ~/.kube/config',
      'by the policies in force in a cluster, and whom they affect',
    ],
  ],
  review: [
    ['tagwarden review deploy/ --policies policies/', 'what the webhook would say of manifests'],
    ['cat deploy/*.yaml | tagwarden review --policies policies/ -', 'and of what a pipe brings'],
    [
      'tagwarden review deploy/ --policies policies/ --fix --dry-run',
      'what would have to be written instead',
    ],
    [
      'tagwarden review deploy/ --policies policies/ --report sarif=out/review.sarif',
      'a report for people, and one for a program',
    ],
  ],
  audit: [
    ['tagwarden audit', 'all that runs in the cluster of kubectl'],
    ['tagwarden audit --namespace shop --report sarif=audit.sarif', 'a namespace, with a report'],
    ['tagwarden audit --what-if policies/', 'what policies that are not in force would change'],
    ['tagwarden audit --watch --selector tier=front', 'a live table, until Ctrl-C'],
  ],
  convert: [
    ['tagwarden convert clusters/ > policies.yaml', 'all that is in a folder'],
    [
      'kubectl get deployments -A -o yaml | tagwarden convert --output-dir policies',
      'annotations of Keel in a cluster, a file for each policy',
    ],
  ],
  dev: [
    [
      'tagwarden dev --kubeconfig ~/.kube/config --url https://192.168.1.20:8443',
      'register this machine in a cluster until Ctrl-C',
    ],
  ],
  completion: [
    ['source <(tagwarden completion bash)', 'in ~/.bashrc; zsh likewise, in ~/.zshrc'],
    ['tagwarden completion fish > ~/.config/fish/completions/tagwarden.fish', 'for fish, once'],
  ],
}

/** Puts the examples of a program and of its commands under their help. */
export function addExamples(program: Command): void {
  for (const command of [program, ...program.commands]) {
    const examples = EXAMPLES[command.name()] ?? []
    const lines = examples.map(([line, does]) => `  # ${does}\n  ${line}\n`)
    if (lines.length > 0) command.addHelpText('after', `\nExamples:\n${lines.join('')}`)
  }
}
