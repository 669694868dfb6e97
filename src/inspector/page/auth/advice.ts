import type { Refusal } from '../state.ts'

/** What to do about a refusal, in one or two sentences. */
export function adviceFor({ status, withToken, challenge }: Refusal): string {
  if (status === 401) return withToken ? adviceOnToken(challenge) : adviceWithoutToken(challenge)
  if (status === 400) {
    return 'The server could not read the credential: it is malformed, or came twice. Use the token alone, without its header.'
  }
  return adviceOnForbidden(challenge)
}

type Challenge = Refusal['challenge']

function adviceWithoutToken(challenge: Challenge): string {
  if (challenge === undefined) {
    return 'The server wants a credential, and sends no Bearer challenge that says which. Try a token in the box above.'
  }
  return challenge.resourceMetadata === undefined
    ? 'The server wants a token. Put one into the box above.'
    : 'The server wants a token. Its metadata says who issues them; get one there and put it into the box above.'
}

function adviceOnToken(challenge: Challenge): string {
  if (challenge?.error === 'invalid_token') {
    return 'The server does not take this token: it is expired, revoked, for another server, or altered. Get a new one for this server.'
  }
  if (challenge === undefined) {
    return 'The server refuses the token and does not say why. Check that it is for this server, and check the server below.'
  }
  return challenge.error === undefined
    ? 'The server says that it saw no token. Something between this page and it may take the header "Authorization" away.'
    : `The server refuses the token with "${challenge.error}". Get another one.`
}

function adviceOnForbidden(challenge: Challenge): string {
  if (challenge?.error === 'insufficient_scope') {
    return challenge.scopes.length === 0
      ? 'The token is good, and does not allow this. The server does not say which scopes it wants.'
      : `The token is good, and does not allow this. Get one with these scopes: ${challenge.scopes.join(', ')}.`
  }
  return 'The server refuses, whoever asks. It may not accept the origin or host name of this page, or not this caller.'
}
