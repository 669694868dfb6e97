export { type KeysAdmin, type KeysAdminOptions, keysAdmin } from './keys-admin.ts'
