/** People of a tenant whose names others like to play (docs/spam-filter.md). */
import { setting } from './setting.ts'

export const personName = setting({
  allowed: 'a name as it stands in From, such as Anna Beck',
  read: (text) => (/^[^\p{C}@<>"]{3,100}$/u.test(text.trim()) ? text.trim() : undefined),
  json: { type: 'string', examples: ['Anna Beck'] },
  hint: (text) => (text.includes('@') ? 'the name alone, without an address' : undefined),
})
