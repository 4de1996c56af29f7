// Preloaded into a process: says at its end what it has used.
//
//   node --import ./bench/usage.ts PROGRAM
import { writeSync } from 'node:fs'

process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const cpu = (userCPUTime + systemCPUTime) / 1_000_000
  writeSync(2, `\nusage ${JSON.stringify({ cpu, memory: maxRSS / 1024 })}\n`)
})
