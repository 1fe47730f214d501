/** What `vorposten simulate` says of mail that leaves: what governs it (R2, R6), and by which ways it goes on. */
import { durationText } from '#config/units.ts'
import { type ForwardPath, pathText, type ReversePath } from '#mail/address.ts'
import type { Content } from '#mail/content.ts'
import { classify } from '#mime/automatic/classify.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { routeToLeaveBy } from '#tenant/destination.ts'
import type { Directory, OutboundWay, Route } from '#tenant/directory.ts'
import type { Step } from './simulate.ts'

const NDR_TEXTS = {
  pass: 'goes out',
  verified: 'goes out if what it reports passed here from a verified sender, else it is held',
  hold: 'is held',
  discard: 'is accepted and discarded',
} as const

/** Nothing is counted, so whether a limit is reached is not said. */
export function leavingStep(reversePath: ReversePath, message: Content, { outbound }: OutboundWay): Step {
  const header = readHeaderSection(message)
  const { kind } = classify({ reversePath, header, content: message })
  const { limit, windowMs, per } = outbound.autoReplies
  const isReply = kind === 'out-of-office' || kind === 'auto-reply' || kind === 'challenge'
  const fate = isReply
    ? `goes out, up to ${limit} per ${per} within ${durationText(windowMs)}; what is more is accepted and discarded`
    : kind === 'dsn'
      ? NDR_TEXTS[outbound.ndrs]
      : 'goes out'
  return { step: 'what leaves', verdict: 'info', text: `${kind} mail: it ${fate}` }
}

/** One for each destination: each is stored for itself. */
export function onwardSteps(
  reversePath: ReversePath,
  recipients: readonly ForwardPath[],
  way: OutboundWay,
  directory: Directory,
): Step[] {
  const routeOf = (path: ForwardPath): Route => {
    if (path.kind !== 'mailbox') return way.route
    const id = routeToLeaveBy(way, reversePath.kind === 'null', path.mailbox.domain, (name) => directory.route(name))
    return directory.route(id) ?? way.route
  }
  const byRoute = Map.groupBy(recipients, (path) => routeOf(path).id)
  return [...byRoute.values()].map((paths) => {
    const route = routeOf(paths[0]!)
    const to = paths.map(pathText).join(', ')
    return {
      step: `commit for ${way.tenant.name}`,
      verdict: 'info',
      text: `${to}: kept on disk, then 250; goes by ${route.id} to ${hostsText(route)}`,
    }
  })
}

function hostsText({ hosts, destination, byMx }: Route): string {
  if (byMx !== undefined || destination !== undefined) return `the MX hosts of ${destination ?? 'each domain'}`
  return hosts.map(({ name, port }) => `${name}:${port}`).join(', ')
}
