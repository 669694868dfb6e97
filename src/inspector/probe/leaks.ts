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
  return traces.some((pattern) => pattern.test(text))
}

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
  return expectations.some((pattern) => pattern.test(text))
}

const expectations: readonly RegExp[] = [
  /\b(?:expected|expects?|should be|must be|wanted|allowed)\b[^\n]{0,40}(?:https?:\/\/[^\s"'/]|["'`][\w:./-]{4,})/i,
  /\bexpected:\s{0,4}[\w.-]{2,}/i,
  /\b(?:issuer|audience|iss|aud)\b[^\n]{0,40}\b(?:expected|should be|must be)\b:?\s{1,4}(?!set\b|present\b|provided\b|given\b|valid\b|one\b|a\b)[\w.-]{4,}/i,
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
  return `${answer.status}\n${plain.replace(/\d+/g, '0')}`
}
