import { homedir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { chosenCluster } from '../../src/cli/cluster_choice.ts'

const BARE = { cluster: {} } as Parameters<typeof chosenCluster>[1]

t.test(
  'a command asks the cluster that kubectl would, and outside of a pod looks for no pod',
  (t) => {
    const here = import.meta.filename
    const rows: [env: Record<string, string | undefined>, kubeconfig: unknown][] = [
      [{}, join(homedir(), '.kube/config')],
      [{ KUBECONFIG: '' }, join(homedir(), '.kube/config')],
      [{ KUBECONFIG: `${here}:/none/there` }, [here]],
      [{ KUBECONFIG: '/none/there' }, ['/none/there']],
      [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, undefined],
    ]
    for (const [env, kubeconfig] of rows) {
      t.intercept(process, 'env', {
        value: {
          ...process.env,
          KUBECONFIG: undefined,
          KUBERNETES_SERVICE_HOST: undefined,
          ...env,
        },
      })
      t.strictSame(chosenCluster({}, BARE).kubeconfig, kubeconfig, JSON.stringify(env))
    }
    t.equal(chosenCluster({ kubeconfig: 'mine' }, BARE).kubeconfig, 'mine')
    t.end()
  },
)
