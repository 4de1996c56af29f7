// A bare fastify server over TLS that parses a review: what any webhook on this stack costs at
// least. /mutate answers a fixed patch for three images, /nothing permits and says no more.
//
//   node bench/yardstick.ts KEY.pem CERT.pem
import { readFileSync } from 'node:fs'
import fastify from 'fastify'

const [key, cert] = process.argv.slice(2).map((path) => readFileSync(path))
const app = fastify({
  https: { key, cert },
  bodyLimit: 16 * 1024 * 1024,
  keepAliveTimeout: 120_000,
})
const digest = 'b'.repeat(64)
const patch = [0, 1, 2].map((index) => ({
  op: 'replace',
  path: `/spec/template/spec/containers/${index}/image`,
  value: `registry.example.com/acme/web:v1.4.2@sha256:${digest}`,
}))

app.post<{ Body: { request: { uid: string } } }>('/mutate', async (request) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response: {
    uid: request.body.request.uid,
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
  },
}))

app.post<{ Body: { request: { uid: string } } }>('/nothing', async (request) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response: { uid: request.body.request.uid, allowed: true },
}))

console.log(`listening on ${await app.listen({ host: '127.0.0.1', port: 0 })}`)
