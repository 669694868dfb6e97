// One server made of others. A caller needs a token that this server takes, and the mounted one takes as well.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'

const alice = { claims: { sub: 'alice' }, scopes: ['mail:send'] }
const bob = { claims: { sub: 'bob' } }

const mail = new MCPServer({ name: 'mail', auth: staticVerifier({ 'dev-alice': alice, 'dev-bob': bob }) })
mail.tool('send', { scopes: ['mail:send'] }, (_args, ctx) => `Sent for ${ctx.auth?.subject}`)
mail.resource('box://inbox', {}, (_args, ctx) => `Mail of ${ctx.auth?.subject}`)

const payroll = new MCPServer({ name: 'payroll', auth: staticVerifier({ 'dev-alice': alice }) })
payroll.tool('pay', {}, (_args, ctx) => `Paid by ${ctx.auth?.subject}`)

const company = new MCPServer({
  name: 'company',
  auth: staticVerifier({ 'dev-alice': alice, 'dev-bob': bob }),
})
company.tool('hello', {}, (_args, ctx) => `Hello ${ctx.auth?.subject}`)
company.mount(mail, { prefix: 'mail' }) // mail_send, box://mail/inbox
company.mount(payroll, { prefix: 'payroll' }) // payroll_pay

const { url } = await company.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
