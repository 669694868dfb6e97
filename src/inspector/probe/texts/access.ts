import type { FindingText } from '../finding.ts'
import { rfc, sessionManagement, streamableHttp, tokenHandling, tokenRequirements } from './citations.ts'

/** Who gets in, and how the server is reached. */
export const accessTexts = {
  'no-authentication': {
    severity: 'critical',
    title: 'Anybody can use the server: it asks for no token.',
    demand: 'A protected MCP server refuses every request without a good access token with 401.',
    citation: tokenHandling,
    fix: 'Give the server an `auth`, or put `mcp-bearer protect` in front of it.',
  },
  'open-calls': {
    severity: 'critical',
    title: 'Tools can be called without a token.',
    demand: 'The access token is part of every HTTP request, and each request is refused without it.',
    citation: tokenRequirements,
    fix: 'Ask for the token before the message is looked at, for all methods of the protocol alike.',
  },
  'open-listing': {
    severity: 'minor',
    title: 'Part of what the server has is shown without a token.',
    demand: 'The access token is part of every HTTP request; exceptions are somebody’s decision.',
    citation: tokenRequirements,
    fix: 'If nobody decided this, ask for the token before these methods as well.',
  },
  'bad-token-admitted': {
    severity: 'critical',
    title: 'A token that was made up lets in.',
    demand: 'Servers validate access tokens; invalid or expired ones are answered with 401.',
    citation: tokenHandling,
    fix: 'Verify each token: signature, algorithm, issuer, audience and expiry of a JWT; the whole of any other token against a store.',
  },
  'other-credential-admitted': {
    severity: 'critical',
    title: 'Something that is no bearer token lets in.',
    demand: 'The access token is taken from the Authorization request header, and from nowhere else.',
    citation: tokenRequirements,
    fix: 'Refuse requests whose Authorization header holds no good bearer token, whatever else they carry.',
  },
  'altered-token-admitted': {
    severity: 'critical',
    title: 'A copy of your token that was altered lets in.',
    demand:
      'Every signature check must succeed, with an algorithm the server has chosen and never `none`; other tokens count as a whole.',
    citation: rfc(8725, '3.3'),
    fix: 'Verify the signature before a claim is read, allow algorithms by name, and compare other tokens in full.',
  },
  'expired-token-admitted': {
    severity: 'critical',
    title: 'An expired token lets in.',
    demand: 'On and after the time in `exp`, give or take a few minutes, a token must not be accepted.',
    citation: rfc(7519, '4.1.4'),
    fix: 'Check `exp` of every token.',
  },
  'other-verb-open': {
    severity: 'critical',
    title: 'Another HTTP method opens the endpoint without a token.',
    demand: 'The access token is part of every HTTP request.',
    citation: tokenRequirements,
    fix: 'Put the check in front of all methods, and not in the handler of one.',
  },
  'head-open': {
    severity: 'minor',
    title: 'HEAD is answered without a token, GET is not.',
    demand: 'The access token is part of every HTTP request. HEAD is the same as GET without its content.',
    citation: rfc(9110, '9.3.2'),
    fix: 'Put the check in front of all methods. If HEAD is a sign of life for a load balancer, give it an address of its own.',
  },
  'other-door-open': {
    severity: 'critical',
    title: 'Another address of the server speaks the protocol without a token.',
    demand:
      'Every request that reaches the protocol is refused without a good access token, wherever it arrives.',
    citation: tokenHandling,
    fix: 'Ask for the token there as well, or take the older transport (/sse and /messages) out.',
  },
  'session-chosen': {
    severity: 'minor',
    title: 'The client can choose the id of its session.',
    demand:
      'The server makes the id of a session, unique and secure. Else somebody can have others use one they know.',
    citation: sessionManagement,
    fix: 'Make a new id for each `initialize`, and look at no Mcp-Session-Id that comes with it.',
  },
  'session-guessable': {
    severity: 'minor',
    title: 'The ids of sessions can be guessed.',
    demand: 'The id of a session should be globally unique and cryptographically secure.',
    citation: sessionManagement,
    fix: 'Take a random UUID (version 4), or 16 random bytes.',
  },
  'session-without-token': {
    severity: 'critical',
    title: 'A session id is enough: the token is not asked for again.',
    demand:
      'The access token is part of every HTTP request, even within one session. A session is no credential.',
    citation: tokenRequirements,
    fix: 'Verify the token of each request before its session is looked up.',
  },
  'other-spelling-open': {
    severity: 'critical',
    title: 'Another spelling of the request opens the endpoint without a token.',
    demand: 'Every request that reaches the protocol is refused without a good access token.',
    citation: tokenHandling,
    fix: 'Protect the handler itself instead of a list of paths, and trust no header that anybody can send.',
  },
  'plain-http': {
    severity: 'critical',
    title: 'Tokens travel unencrypted.',
    demand: 'Bearer tokens are sent over TLS only.',
    citation: rfc(6750, '5.3'),
    fix: 'Serve the endpoint over https.',
  },
  'not-mcp': {
    severity: 'serious',
    title: 'There is no MCP endpoint at this address.',
    demand: 'The endpoint answers POST requests with messages of the protocol.',
    citation: streamableHttp,
    fix: 'Check the path: many servers listen at `/mcp`.',
  },
  redirected: {
    severity: 'serious',
    title: 'The endpoint is somewhere else: the server redirects.',
    demand: 'Clients keep a token to the origin it was given for, and do not follow redirects with it.',
    citation: rfc(9110, '15.4'),
    fix: 'Give clients the final address, and probe that one.',
  },
  'server-error': {
    severity: 'serious',
    title: 'The server fails where it should refuse.',
    demand: 'A bad or missing credential is an error of the client: 401, and not 5xx.',
    citation: rfc(9110, '15.5.2'),
    fix: 'Find the exception in the log of the server; a verifier should say "not good" instead of throwing.',
  },
} as const satisfies Readonly<Record<string, FindingText>>
