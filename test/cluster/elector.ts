import { electLeader, openCluster } from '../../src/cluster/index.ts'

// Stands for election until it is told to end, and prints the time while it leads:
// node elector.ts <kubeconfig> <identity> <ms of the lease>
const [, , kubeconfig = '', identity = '', duration = ''] = process.argv
const cluster = await openCluster({ kubeconfig, timeLimit: Number(duration) })
const election = electLeader(cluster, {
  namespace: 'default',
  name: 'leader',
  identity,
  leaseDuration: Number(duration),
  onLeading: (signal) => {
    console.log(`begin ${Date.now()}`)
    signal.addEventListener('abort', () => console.log(`end ${Date.now()}`), { once: true })
  },
})
const timer = setInterval(() => {
  if (election.leading()) console.log(`leads ${Date.now()}`)
}, 20)
process.once('SIGTERM', async () => {
  await election.release()
  clearInterval(timer)
  await cluster.close()
})
