// Posts an example review to the webhook that `npm start` runs, and prints the answer.
//
//   node examples/post.js resolved | denied | warned | FILE
import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:https'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const name = process.argv[2] ?? 'resolved'
const known = ['resolved', 'denied', 'warned'].includes(name)
const file = known ? here(`reviews/${name}.json`) : name
if (!existsSync(file)) {
  console.error(
    `There is no file ${name}. Use: node examples/post.js resolved | denied | warned | FILE`,
  )
  process.exit(2)
}
const body = readFileSync(file)
const base = process.env.TAGWARDEN_URL ?? 'https://127.0.0.1:8443'
const path = name === 'resolved' ? '/mutate' : '/validate'

const call = request(
  new URL(`${path}?timeout=10s`, base),
  {
    method: 'POST',
    ca: readFileSync(process.env.TAGWARDEN_CA ?? here('../certs/ca.crt')),
    headers: { 'content-type': 'application/json', 'content-length': body.length },
  },
  async (answer) => {
    const text = Buffer.concat(await answer.toArray()).toString('utf8')
    const { response } = JSON.parse(text)
    if (!response) {
      console.error(text)
      process.exit(2)
    }
    console.log(response.allowed ? 'allowed' : 'denied')
    if (response.status) console.log(response.status.message)
    for (const warning of response.warnings ?? []) console.log(`Warning: ${warning}`)
    if (response.patch) {
      const patch = JSON.parse(Buffer.from(response.patch, 'base64').toString('utf8'))
      console.log(JSON.stringify(patch, null, 2))
    }
  },
)
call.on('error', (error) => {
  console.error(`${base} does not answer (${error.message}). Run "npm start" first`)
  process.exit(2)
})
call.end(body)
