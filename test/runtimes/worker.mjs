/** For workerd: vectors in the body of a request, outcomes in the answer. */
import * as verify from '../../dist/verify/index.js'
import { judgeAll } from './judge.mjs'

export default {
  async fetch(request) {
    try {
      return Response.json(await judgeAll(verify, await request.json()))
    } catch (error) {
      return new Response(error.stack, { status: 500 })
    }
  },
}
