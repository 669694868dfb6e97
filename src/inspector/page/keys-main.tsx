import { Keys } from './keys/keys.tsx'
import { start } from './start.tsx'

void start(Keys)
