import { isObject } from '../../verify/json.ts'
import { type Answer, challengeOf, headersOf } from './answer.ts'
import { parsed } from './event-stream.ts'

/**
 * What an answer gives away of how tokens are checked.
 * @param marks words of the token that was sent, which stand nowhere by chance
 * @param own origin of the server: its own addresses are no secret
 * @returns each as the end of a sentence that begins with "The answer"
 */
export function leaksOf(answer: Answer, marks: readonly string[], own: string): string[] {
  const text = saidIn(answer)
  return [
    ...(marks.some((mark) => text.includes(mark)) ? ['repeats something of the token'] : []),
    ...(namesExpected(answer, own) ? ['names the issuer or audience it expects'] : []),
    ...(hasStackTrace(text) ? ['shows a stack trace'] : []),
  ]
}

/** Lines of a stack trace, and paths of source files, as Node, Python, Java, Go, Ruby, PHP and .NET write them. */
export function hasStackTrace(text: string): boolean {
  const first = text.slice(0, longestLooked)
  return traces.some((pattern) => pattern.test(first))
}

/** Characters. A trace is not far behind the message; a longer look takes seconds on a body that was made for it. */
const longestLooked = 16_384

const traces: readonly RegExp[] = [
  /\bat [^\n]{0,200}[/\\][^\s()]{1,200}\.[cm]?[jt]sx?:\d{1,6}:\d{1,6}/,
  /Traceback \(most recent call last\)/,
  /File \\?"[^"\n]{1,200}\.py\\?", line \d/,
  /\bat [\w$.]{1,100}\([\w$]{1,60}\.(?:java|kt|scala):\d{1,6}\)/,
  /goroutine \d{1,9} \[running\]/,
  /[/\\]node_modules[/\\]/,
  /[/\\]site-packages[/\\]/,
  /\bat [\w.`<>]{1,100}\([^)\n]{0,200}\) in [^\n]{1,200}\.cs:line \d/,
]

/** Challenges and body. Where the metadata is found is a public address. */
function saidIn({ response }: Answer): string {
  const challenges = headersOf(response, 'www-authenticate').join('\n')
  return `${challenges}\n${response?.body ?? ''}`
}

/** What people and libraries wrote about the failure: what stands after a word for "expected". */
function namesExpected(answer: Answer, own: string): boolean {
  // How the header is to be written is no secret.
  const text = descriptionsOf(answer)
    .join('\n')
    .replaceAll(own, '')
    .replace(/["'`<]?\bBearer\b[^\n]*/gi, '')
  return aboutWhom.test(text) && expectations.some((pattern) => pattern.test(text))
}

/** Without such a word, what is expected is a form. */
const aboutWhom = /\b(?:issuers?|issued|audiences?|iss|aud|Valid(?:Issuer|Audience)s?)\b/i
const expecting =
  '\\b(?:expected|expects?|should be|must be|wanted|allowed|(?:did|does) not match|Valid(?:Issuer|Audience)s?)\\b'
const sameSentence =
  '(?:(?!\\b(?:see|visit|read|docs?|documentation|described|help)\\b)(?!\\.\\s)[^\\n;]){0,40}?'

/** An issuer or an audience that stands behind such a word, in one sentence. Where to read more is no secret. */
const expectations: readonly RegExp[] = [
  new RegExp(`${expecting}${sameSentence}(?:https?://[^\\s"'/]|["'\`][\\w:./-]{4,})`, 'i'),
  new RegExp(`${expecting}:\\s{0,4}[\\w.-]{2,}`, 'i'),
  new RegExp(`${expecting}\\s{1,4}[a-z\\d]{1,60}[-_./:\\d][\\w.:/-]{2,}`, 'i'),
]

function descriptionsOf(answer: Answer): string[] {
  const { errorDescription } = challengeOf(answer) ?? {}
  const body = parsed(answer.response?.body ?? '')
  const members = isObject(body) ? [body, body.error].filter(isObject) : []
  const texts = members.flatMap((one) => [
    one.error_description,
    one.message,
    one.detail,
    one.error,
    one.reason,
  ])
  return [errorDescription, ...texts]
    .filter((one) => typeof one === 'string')
    .map((one) => one.slice(0, 2000))
}

/** Status and words of a refusal, without what differs in every answer and without what was sent. */
export function words(answer: Answer, marks: readonly string[]): string {
  const { error, errorDescription } = challengeOf(answer) ?? {}
  const said = [error, errorDescription, ...descriptionsOf(answer)].join('\n')
  const plain = marks.reduce((text, mark) => text.replaceAll(mark, ''), said)
  // Numbers, and what has digits in it: times, and the names of requests.
  return `${answer.status}\n${plain.replace(/[\w:.+-]*\d[\w:.+-]*/g, '0')}`
}
