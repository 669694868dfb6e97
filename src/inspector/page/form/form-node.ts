/** What a JSON Schema says of every value. */
export interface Common {
  /** The name for people, when the schema has one. */
  readonly title: string | undefined
  readonly description: string | undefined
  /** Whether `null` will do, too. */
  readonly isNullable: boolean
  /** What the schema proposes; `undefined` when nothing. */
  readonly proposed: unknown
  /** Further words of the schema, for people: a format, a pattern. */
  readonly hint: string | undefined
}

export interface TextNode extends Common {
  readonly kind: 'text'
  readonly format: string | undefined
  /** Whether it may have several lines. */
  readonly isLong: boolean
  readonly minLength: number | undefined
  readonly maxLength: number | undefined
}

export interface NumberNode extends Common {
  readonly kind: 'number'
  readonly isInteger: boolean
  readonly minimum: number | undefined
  readonly maximum: number | undefined
  readonly exclusiveMinimum: number | undefined
  readonly exclusiveMaximum: number | undefined
}

/** One value of several: `enum`, `const`, booleans. */
export interface ChoiceNode extends Common {
  readonly kind: 'choice'
  readonly options: readonly ChoiceOption[]
}

export interface ChoiceOption {
  readonly label: string
  readonly value: unknown
}

export interface ListNode extends Common {
  readonly kind: 'list'
  readonly item: () => FormNode
  readonly minItems: number
  readonly maxItems: number | undefined
}

export interface GroupNode extends Common {
  readonly kind: 'group'
  readonly members: () => ReadonlyMap<string, Member>
}

export interface Member {
  readonly node: FormNode
  readonly isRequired: boolean
}

/** Names the person chooses, with values of one kind. */
export interface MapNode extends Common {
  readonly kind: 'map'
  readonly value: () => FormNode
}

/** One shape of several. */
export interface UnionNode extends Common {
  readonly kind: 'union'
  readonly options: () => readonly UnionOption[]
}

export interface UnionOption {
  readonly label: string
  readonly node: FormNode
}

/** What no form can be made of. */
export interface JsonNode extends Common {
  readonly kind: 'json'
}

/** A JSON Schema as a form sees it. Parts that lie deeper are read when somebody looks at them. */
export type FormNode =
  | TextNode
  | NumberNode
  | ChoiceNode
  | ListNode
  | GroupNode
  | MapNode
  | UnionNode
  | JsonNode
