// Of "helm test": TARGET is the base URL of the Service, NODE_EXTRA_CA_CERTS its CA. With REVIEWS=refused,
// only clients with a certificate are answered reviews, and this one has none.
const target = process.env.TARGET
const refused = process.env.REVIEWS === 'refused'
const review = {
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'helm-test',
    dryRun: true,
    operation: 'CREATE',
    namespace: 'default',
    name: 'helm-test',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    resource: { group: '', version: 'v1', resource: 'pods' },
    userInfo: { username: 'helm-test' },
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'helm-test', namespace: 'default' },
      spec: { containers: [{ name: 'app', image: 'registry.invalid/helm-test:1.0.0' }] },
    },
  },
}

async function ask(path, body, wanted = 200) {
  const signal = AbortSignal.timeout(15_000)
  const headers = { 'content-type': 'application/json' }
  const sent = body && { method: 'POST', headers, body: JSON.stringify(body) }
  const answer = await fetch(target + path, { signal, ...sent }).catch((error) => {
    throw new Error(`${target + path}: ${error.cause?.message ?? error.message}`)
  })
  const text = await answer.text()
  if (answer.status !== wanted) throw new Error(`${target + path}: ${answer.status} ${text}`)
  return JSON.parse(text)
}

try {
  const { checks } = await ask('/readyz')
  console.log(`ready: ${checks.map(({ name }) => name).join(', ')}`)
  const { response, message } = await ask('/validate?timeout=10s', review, refused ? 401 : 200)
  if (refused) {
    console.log(`judges images for clients with a certificate: ${message}`)
  } else {
    if (response?.uid !== 'helm-test') throw new Error('it answers, but not to what was asked')
    console.log(`judges images: ${response.allowed ? 'allowed' : response.status?.message}`)
  }
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
