import type { JSX } from 'preact'
import { parseJson } from '../form/json-text.ts'
import { listOf, memberOf, textOf } from '../mcp/message.ts'
import { JsonView } from '../ui/json-view.tsx'
import { short } from '../ui/plain.ts'
import { SafeLink } from '../ui/safe-link.tsx'
import { bytesOf, mediaAddress } from './base64.ts'
import { download } from './download.ts'
import { LongText } from './long-text.tsx'

const mostBlocks = 200

/** The content of a result: a list of blocks (MCP "Tools", "Tool Result"). */
export function ContentView({
  blocks,
  name,
}: {
  readonly blocks: readonly unknown[]
  readonly name: string
}): JSX.Element {
  return (
    <div class="stack">
      {blocks.length === 0 && <p class="quiet">The answer has no content.</p>}
      {blocks.slice(0, mostBlocks).map((block, at) => (
        <Block key={String(at)} block={block} name={name} />
      ))}
      {blocks.length > mostBlocks && (
        <p class="quiet">{`${blocks.length - mostBlocks} more are left out.`}</p>
      )}
    </div>
  )
}

function Block({ block, name }: { readonly block: unknown; readonly name: string }): JSX.Element {
  const text = textOf(block, 'text')
  switch (memberOf(block, 'type')) {
    case 'text':
      return text === undefined ? <Unknown block={block} /> : <TextBlock text={text} name={name} />
    case 'image':
    case 'audio':
      return <Media block={block} name={name} />
    case 'resource_link':
      return <ResourceLink link={block} />
    case 'resource':
      return <ResourceContent content={memberOf(block, 'resource')} />
    default:
      return <Unknown block={block} />
  }
}

/** JSON is easier to read when it is written over several lines; nothing else is changed. */
function TextBlock({ text, name }: { readonly text: string; readonly name: string }): JSX.Element {
  const isJson = /^\s*[{[]/.test(text) && text.length < 500_000 && !isDeep(text)
  const parsed = isJson ? parseJson(text) : undefined
  const pretty = parsed && parsed.mistake === undefined ? JSON.stringify(parsed.value, null, 2) : text
  return <LongText text={pretty} name={name} />
}

/** More levels than a person reads; written out, some thousand take more room than there is. */
function isDeep(text: string): boolean {
  let depth = 0
  for (const [bracket] of text.matchAll(/[{}[\]]/g)) {
    depth += bracket === '{' || bracket === '[' ? 1 : -1
    if (depth > 100) return true
  }
  return false
}

function Media({ block, name }: { readonly block: unknown; readonly name: string }): JSX.Element {
  const type = textOf(block, 'mimeType') ?? ''
  const data = textOf(block, 'data') ?? ''
  const address = mediaAddress(type, data)
  const kind = memberOf(block, 'type') === 'audio' ? 'audio' : 'image'
  return (
    <figure class="stack tight">
      {address !== undefined && kind === 'image' && <img src={address} alt="What the tool answered" />}
      {address !== undefined && kind === 'audio' && (
        <audio controls src={address}>
          <track kind="captions" />
        </audio>
      )}
      <figcaption class="row">
        <span class="quiet small">
          {address === undefined
            ? `${kind} of type ${short(type, 80) || 'unknown'}, which is not shown here`
            : `${kind}, ${type}`}
        </span>
        <DownloadButton data={data} name={`${name}.${type.replace(/^.*\//, '')}`} />
      </figcaption>
    </figure>
  )
}

function ResourceLink({ link }: { readonly link: unknown }): JSX.Element {
  const uri = textOf(link, 'uri') ?? ''
  return (
    <dl class="facts">
      <div>
        <dt>{short(textOf(link, 'title') ?? textOf(link, 'name') ?? 'Resource')}</dt>
        <dd class="mono">
          <SafeLink href={uri}>{short(uri, 2000)}</SafeLink>
        </dd>
      </div>
    </dl>
  )
}

/** The content of a resource: text, or bytes as a file. */
export function ResourceContent({ content }: { readonly content: unknown }): JSX.Element {
  const uri = textOf(content, 'uri') ?? ''
  const type = textOf(content, 'mimeType') ?? ''
  const text = textOf(content, 'text')
  const blob = textOf(content, 'blob')
  const address = blob === undefined ? undefined : mediaAddress(type, blob)
  return (
    <div class="stack tight">
      <p class="row">
        <span class="mono">{short(uri, 2000)}</span>
        <span class="quiet small">{short(type, 100)}</span>
      </p>
      {text !== undefined && <TextBlock text={text} name={uri} />}
      {address !== undefined && type.startsWith('image/') && (
        <img src={address} alt={`What ${short(uri)} holds`} />
      )}
      {blob !== undefined && <DownloadButton data={blob} name={uri} />}
      {text === undefined && blob === undefined && <Unknown block={content} />}
    </div>
  )
}

function DownloadButton({ data, name }: { readonly data: string; readonly name: string }): JSX.Element {
  const bytes = bytesOf(data)
  if (bytes === undefined) return <span class="quiet small">Its data is not Base64.</span>
  return (
    <button type="button" class="button" onClick={() => download(bytes, name)}>
      {`Download (${bytes.length} bytes)`}
    </button>
  )
}

function Unknown({ block }: { readonly block: unknown }): JSX.Element {
  return (
    <div class="stack tight">
      <p class="quiet small">This page does not know this kind of content:</p>
      <JsonView value={block} />
    </div>
  )
}

/** The messages of a prompt. */
export function PromptMessages({
  result,
  name,
}: {
  readonly result: unknown
  readonly name: string
}): JSX.Element {
  const messages = listOf(result, 'messages')
  const description = textOf(result, 'description')
  return (
    <div class="stack">
      {description !== undefined && <p class="prose">{short(description, 5000)}</p>}
      {messages.length === 0 && <p class="quiet">The prompt has no messages.</p>}
      {messages.slice(0, mostBlocks).map((message, at) => {
        const content = memberOf(message, 'content')
        return (
          <section class="stack tight" key={String(at)} aria-label={`Message ${at + 1}`}>
            <h4>{short(textOf(message, 'role') ?? 'no role', 40)}</h4>
            <ContentView blocks={Array.isArray(content) ? content : [content]} name={name} />
          </section>
        )
      })}
    </div>
  )
}
