import type { JSX } from 'preact'
import { Field } from '../ui/field.tsx'
import type { FormNode } from './form-node.ts'
import { asFields, asText, type FormState, inputOf } from './form-state.ts'
import { parseJson } from './json-text.ts'
import { Part } from './part.tsx'

/**
 * A form for what a JSON Schema describes, which can be written as JSON, too.
 *
 * @param showsIssues whether fields say what does not look right
 */
export function SchemaForm({
  node,
  state,
  onChange,
  showsIssues,
}: {
  readonly node: FormNode
  readonly state: FormState
  readonly onChange: (next: FormState) => void
  readonly showsIssues: boolean
}): JSX.Element {
  const isText = state.text !== undefined
  const mistake = isText ? parseJson(state.text).mistake : undefined
  const issues = showsIssues && !isText ? inputOf(node, state).issues : []
  return (
    <div class="stack schema-form">
      <div class="row between">
        <span class="quiet small">Input</span>
        <button
          type="button"
          class="button plain"
          disabled={mistake !== undefined}
          onClick={() => onChange(isText ? asFields(node, state) : asText(node, state))}
        >
          {isText ? 'Use the form' : 'Write JSON'}
        </button>
      </div>
      {isText ? (
        <Field label="Input as JSON" error={mistake}>
          {(props) => (
            <textarea
              {...props}
              class="mono"
              rows={10}
              spellcheck={false}
              value={state.text}
              onInput={(event) => onChange({ ...state, text: event.currentTarget.value })}
            />
          )}
        </Field>
      ) : (
        <Part
          node={node}
          draft={state.draft}
          isRequired
          place=""
          name=""
          issues={new Map(issues.map(({ place, text }) => [place, text]))}
          inner={Part}
          onChange={(draft) => onChange({ ...state, draft })}
        />
      )}
    </div>
  )
}
