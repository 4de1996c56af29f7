import { Option } from 'commander'

/*
 * Options that several commands have, in the same words.
 */

export function configOption(): Option {
  const text = 'configuration file (default: ./tagwarden.yaml, if it is there)'
  return new Option('-c, --config <file>', text)
}

export function kubeconfigOption(): Option {
  return new Option('--kubeconfig <file>', 'the cluster (default: as kubectl finds it)')
}

export function contextOption(): Option {
  const text = 'context of the kubeconfig (default: its current one)'
  return new Option('--context <name>', text)
}

export function outputOption(forms: readonly string[]): Option {
  return new Option('-o, --output <form>', 'how to print the result').choices(forms).default('text')
}
