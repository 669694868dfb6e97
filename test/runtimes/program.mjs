/** For Node, Bun and Deno: vectors from standard input, outcomes to standard output. */
import { text } from 'node:stream/consumers'
import * as verify from '../../dist/verify/index.js'
import { judgeAll } from './judge.mjs'

const vectors = JSON.parse(await text(process.stdin))
process.stdout.write(JSON.stringify(await judgeAll(verify, vectors)))
