import type { FindingText } from '../finding.ts'
import { discovery, fetchStandard, misconfiguration, rfc, streamableHttp } from './citations.ts'

const preflightFetch = fetchStandard('CORS-preflight fetch', 'cors-preflight-fetch')

/** Web pages, metadata, and what answers show. */
export const surroundingsTexts = {
  'preflight-refused': {
    severity: 'serious',
    title: 'Web pages that are allowed cannot ask: the preflight is answered with 401.',
    demand: 'A browser sends the preflight without credentials; it must be answered without.',
    citation: preflightFetch,
    fix: 'Answer OPTIONS before the token is asked for.',
  },
  'cors-with-credentials': {
    severity: 'serious',
    title: 'Every web page may use the server with what the browser knows of its user.',
    demand: 'Credentials are for origins that are listed; an origin nobody has must not be among them.',
    citation: fetchStandard('CORS protocol and credentials', 'cors-protocol-and-credentials'),
    fix: 'List the origins that are allowed, and leave Access-Control-Allow-Credentials out: tokens do not need it.',
  },
  'cors-for-everybody': {
    severity: 'note',
    title: 'Every origin is told that it is allowed.',
    demand:
      'Nothing demands a list: without a token a page gets nothing. A list keeps pages nobody knows away.',
    citation: misconfiguration,
    fix: 'Nothing, if any page may use the server. Else list the origins instead of repeating what was sent.',
  },
  'cors-without-authorization': {
    severity: 'serious',
    title: 'Web pages that are allowed cannot send a token.',
    demand: 'Authorization is named in Access-Control-Allow-Headers; `*` does not cover it.',
    citation: fetchStandard('CORS non-wildcard request-header name', 'cors-non-wildcard-request-header-name'),
    fix: 'Add `Authorization` to Access-Control-Allow-Headers.',
  },
  'cors-hides-challenge': {
    severity: 'minor',
    title: 'Web pages that are allowed cannot read the challenge.',
    demand: 'A page reads a header of an answer only if Access-Control-Expose-Headers names it.',
    citation: fetchStandard('CORS protocol', 'http-cors-protocol'),
    fix: 'Add `WWW-Authenticate` to Access-Control-Expose-Headers, on refusals as well.',
  },
  'foreign-origin': {
    severity: 'serious',
    title: 'A web page of somebody else can talk to this server on your machine.',
    demand: 'Servers check the Origin of every request; one that is not allowed is answered with 403.',
    citation: streamableHttp,
    fix: 'Compare Origin with a list; on a server for this machine, with its own addresses.',
  },
  'foreign-host': {
    severity: 'serious',
    title: 'The server answers to any name, so that a web page can reach it (DNS rebinding).',
    demand: 'A server on this machine must not be reached under a name that somebody pointed at it.',
    citation: streamableHttp,
    fix: 'Compare Host with the names of the server: localhost, 127.0.0.1 and [::1] with its port.',
  },
  'metadata-address': {
    severity: 'serious',
    title: 'The challenge names no usable address of the metadata.',
    demand: '`resource_metadata` is the URL of the protected resource metadata.',
    citation: rfc(9728, '5.1'),
    fix: 'Write an absolute https URL.',
  },
  'metadata-elsewhere': {
    severity: 'note',
    title: 'The metadata is at another origin, and was not looked at.',
    demand: 'This probe sends requests to the server it was given only.',
    citation: rfc(9728, '5.1'),
    fix: 'Nothing, if that is where it belongs. On this machine, a server may know its public address only.',
  },
  'metadata-missing': {
    severity: 'serious',
    title: 'The metadata is not where the challenge says.',
    demand: 'The document is answered with 200 and JSON, without a token.',
    citation: rfc(9728, '3.2'),
    fix: 'Serve it at the root of the host: /.well-known/oauth-protected-resource, and the path of the endpoint behind.',
  },
  'metadata-resource': {
    severity: 'serious',
    title: 'The metadata is about another server.',
    demand: '`resource` is the URL clients use; if it differs, they must not use the document.',
    citation: rfc(9728, '3.3'),
    fix: 'Set `resource` to the address of the endpoint, character for character.',
  },
  'metadata-other-name': {
    severity: 'note',
    title: 'The metadata calls the server by another name than you do.',
    demand: '`resource` is the URL clients use; strict clients do not take another.',
    citation: rfc(9728, '3.3'),
    fix: 'Nothing, if clients use that name. Else set `resource` to the address of the endpoint.',
  },
  'metadata-without-servers': {
    severity: 'serious',
    title: 'The metadata names no authorization server.',
    demand: 'The document has `authorization_servers` with at least one entry.',
    citation: discovery,
    fix: 'Name the issuer of your tokens; a server that takes API keys only publishes no such document.',
  },
  'metadata-bad-server': {
    severity: 'serious',
    title: 'The metadata names an authorization server by something that is no issuer.',
    demand: 'An issuer is an https URL without query and fragment.',
    citation: rfc(8414, '2'),
    fix: 'Write the issuer exactly as the authorization server does.',
  },
  'metadata-not-named': {
    severity: 'note',
    title: 'There is metadata, and the challenge does not say where.',
    demand:
      'Servers name it in the challenge, or have it at its well-known place. Older clients look for the first only.',
    citation: discovery,
    fix: 'Add `resource_metadata` to the challenge.',
  },
  'waits-for-body': {
    severity: 'minor',
    title: 'The server waits for the body of a request it is going to refuse.',
    demand:
      'A server may answer from the head alone. Else anybody can keep it busy. A proxy in front may be the one who waits.',
    citation: rfc(9110, '7.5'),
    fix: 'Check the token before the body is read.',
  },
  'stack-trace': {
    severity: 'minor',
    title: 'Answers show parts of the program.',
    demand: 'Errors hold no stack traces and no paths of files.',
    citation: misconfiguration,
    fix: 'Catch errors, write them to the log, and answer with a fixed text. Frameworks have a mode for production.',
  },
  'no-hsts': {
    severity: 'note',
    title: 'Nothing tells browsers to come over https only.',
    demand: 'Strict-Transport-Security says so. It matters where people open pages of this host.',
    citation: rfc(6797, '6.1'),
    fix: 'Add `Strict-Transport-Security: max-age=31536000`.',
  },
  'sets-cookie': {
    severity: 'note',
    title: 'The endpoint sets a cookie.',
    demand:
      'A token comes with each request; nothing else identifies a caller. Load balancers often set cookies.',
    citation: streamableHttp,
    fix: 'Nothing, if it is not used to know who calls.',
  },
  'public-pages': {
    severity: 'note',
    title: 'Pages that show what the server has are open to the network.',
    demand: 'Nothing demands it. They name every tool to anybody.',
    citation: misconfiguration,
    fix: 'Nothing, if it was decided so. Else leave `publicPages` out.',
  },
} as const satisfies Readonly<Record<string, FindingText>>
