export function buildPage(): Promise<Readonly<Record<string, string>>>
