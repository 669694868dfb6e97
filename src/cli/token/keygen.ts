import { generateKeyPair, type KeyPair, signingAlgorithms } from '../../issuer/index.ts'
import { UsageError } from '../command.ts'
import { ownName, shellWord } from '../command-name.ts'
import { oneOf } from '../keys/words.ts'
import { localCommand } from '../local-command.ts'
import { table } from '../terminal.ts'
import { algorithmOf } from './key-file.ts'
import { type NewFile, writeNewFiles } from './new-file.ts'

/** `mcp-bearer token keygen`: a key pair in files. */
export const keygen = localCommand({
  summary: 'make a key pair that signs tokens',
  usage: 'token keygen [--algorithm RS256] [--out key.pem]',
  about: `Makes a key pair: the private key in a file that only you can read, its public key and its
JSON Web Key Set (RFC 7517) in files beside it. A file that exists is left alone.

  mcp-bearer token keygen                                 key.pem, key.pub.pem, key.jwks.json
  mcp-bearer token keygen --algorithm EdDSA --out dev.pem
  mcp-bearer token keygen --print public                  key.pem alone; the public key to standard output

For development and tests: in production an identity provider signs, and keeps its key to itself.`,
  optionsHelp: `  --algorithm NAME    ${signingAlgorithms.join(', ')};
                      otherwise RS256, which servers take without being told
  --out FILE          where the private key goes; otherwise key.pem. - for standard output,
                      and then it is your care alone
  --print WHAT        public or jwks: this alone to standard output, instead of files beside
  --force             write over files that exist`,
  options: {
    algorithm: { type: 'string' },
    out: { type: 'string' },
    print: { type: 'string' },
    force: { type: 'boolean' },
  },
  words: [0, 0],
  async run({ values, terminal }) {
    const { out = 'key.pem', force = false, json = false } = values
    const algorithm = values.algorithm === undefined ? 'RS256' : algorithmOf(values.algorithm)
    const print = values.print === undefined ? undefined : oneOf(values.print, '--print', ['public', 'jwks'])
    if (out === '' || out.includes('\0')) throw new UsageError('--out must be the name of a file, or -')
    if (print !== undefined && json)
      throw new UsageError('--print and --json are two ways to print it; give one')
    if (out === '-' && (print !== undefined || json)) {
      throw new UsageError('--out - prints the private key and nothing else; leave out --print and --json')
    }
    const pair = await generateKeyPair(algorithm)
    if (out === '-') {
      for (const line of pair.privateKey.trimEnd().split('\n')) terminal.line(line)
      return 0
    }
    const beside = print === undefined ? filesBeside(out, pair) : []
    await writeNewFiles([{ path: out, text: pair.privateKey, isPrivate: true }, ...beside], force)
    if (print !== undefined) {
      const text = print === 'public' ? pair.publicKey.trimEnd() : JSON.stringify(pair.jwks())
      return { json: {}, lines: [text], notes: [`The private key is in ${out}, for you alone.`] }
    }
    return { json: facts(out, beside, pair), lines: lines(out, beside, pair) }
  },
})

/** The public half, in the two forms servers take it. */
function filesBeside(out: string, pair: KeyPair): NewFile[] {
  const stem = out.replace(/(?<=[^/\\])\.(?:pem|key)$/i, '')
  return [
    { path: `${stem}.pub.pem`, text: pair.publicKey, isPrivate: false },
    { path: `${stem}.jwks.json`, text: `${JSON.stringify(pair.jwks(), undefined, 2)}\n`, isPrivate: false },
  ]
}

function facts(out: string, [publicKey, jwks]: readonly NewFile[], pair: KeyPair) {
  return {
    algorithm: pair.algorithm,
    kid: pair.kid,
    files: { privateKey: out, publicKey: publicKey?.path, jwks: jwks?.path },
    publicKey: pair.publicKey,
    jwks: pair.jwks(),
  }
}

function lines(out: string, [publicKey, jwks]: readonly NewFile[], { algorithm, kid }: KeyPair): string[] {
  const [own, key] = [ownName(), shellWord(out)]
  const files = [
    [out, 'the private key, for you alone (not into a repository)'],
    [publicKey?.path ?? '', 'the public key, for servers'],
    [jwks?.path ?? '', 'the same as a JSON Web Key Set'],
  ]
  return [
    `A key pair for ${algorithm}, kid ${kid}`,
    '',
    ...table(files).map((line) => `  ${line}`),
    '',
    'A token, and what a server would say of it:',
    `  export TOKEN=$(${own} token mint --key ${key} --audience my-server --subject me)`,
    `  ${own} token verify env:TOKEN --public-key ${shellWord(publicKey?.path ?? '')} --audience my-server`,
  ]
}
