/**
 * How the program ends: exit codes of sysexits.h, and errors that are the operator's to mend: one line that says what is
 * wrong, and what to do. Everything else that is thrown is a defect and keeps its stack.
 */
import { CertificateFault } from '#accept/certificates.ts'
import { SpoolLocked } from '#spool/lock.ts'

export const EXIT = {
  ok: 0,
  /** EX_DATAERR: what was handed in is faulty. */
  data: 65,
  /** EX_UNAVAILABLE: something that we need, or that was asked for, is not there. */
  unavailable: 69,
  /** EX_SOFTWARE: a defect. */
  software: 70,
  /** EX_CANTCREAT: a folder or file cannot be made or written. */
  cannotCreate: 73,
  /** EX_TEMPFAIL: nobody could say now; ask again later. */
  later: 75,
  /** EX_NOPERM */
  notPermitted: 77,
  /** EX_CONFIG */
  config: 78,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export class UserError extends Error {
  override readonly name = 'UserError'
  readonly advice: string
  readonly exitCode: ExitCode

  constructor(message: string, advice: string, exitCode: ExitCode) {
    super(message)
    this.advice = advice
    this.exitCode = exitCode
  }

  get line(): string {
    return `${this.message}. ${this.advice}`
  }
}

/** A UserError between processes. */
export interface Problem {
  readonly message: string
  readonly advice: string
  readonly exitCode: ExitCode
}

export const problemOf = ({ message, advice, exitCode }: UserError): Problem => ({ message, advice, exitCode })
export const userErrorOf = ({ message, advice, exitCode }: Problem): UserError =>
  new UserError(message, advice, exitCode)

/** Writes an error as the operator should see it: one line, or the stack of a defect. The exit code to end with. */
export function reportError(error: unknown, write: (line: string) => void): ExitCode {
  const known = toUserError(error)
  if (known) {
    write(`vorposten: ${known.line}`)
    return known.exitCode
  }
  write(`vorposten: defect: ${error instanceof Error ? error.stack : String(error)}`)
  return EXIT.software
}

/** The operator's view of an error, or undefined if it is a defect. */
export function toUserError(error: unknown): UserError | undefined {
  if (error instanceof UserError) return error
  if (error instanceof SpoolLocked) {
    return new UserError(error.message, 'Stop the other one, or give this one another data folder.', EXIT.unavailable)
  }
  if (error instanceof CertificateFault) return new UserError(error.message, error.advice, EXIT.config)
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const { syscall, path } = error as NodeJS.ErrnoException
  if (syscall === 'listen' || syscall === 'bind') return listenError(error as ListenError)
  return typeof path === 'string' ? fileError(error as NodeJS.ErrnoException, path) : undefined
}

type ListenError = NodeJS.ErrnoException & { readonly address?: string; readonly port?: number }

function listenError({ code, message, address, port }: ListenError): UserError {
  const where = port === undefined ? `${address}` : `port ${port} on ${address}`
  switch (code) {
    case 'EADDRINUSE':
      return new UserError(
        `${where} is in use`,
        'Stop the server that has it (ss -ltnp shows which), or choose another port.',
        EXIT.unavailable,
      )
    case 'EACCES':
      return new UserError(
        `${where} needs a privilege`,
        'Give the service CAP_NET_BIND_SERVICE (the systemd unit does), or choose a port from 1024 on.',
        EXIT.config,
      )
    case 'EADDRNOTAVAIL':
      return new UserError(
        `${address} is no address of this machine`,
        'Correct the listener’s address, or use 0.0.0.0 or :: for all.',
        EXIT.config,
      )
    default:
      return new UserError(`cannot listen on ${where}: ${message}`, 'Check the listener’s address.', EXIT.config)
  }
}

function fileError({ code, message }: NodeJS.ErrnoException, path: string): UserError | undefined {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return new UserError(
        `no permission for ${path}`,
        'Let the user that runs Vorposten read and write it (chown), or name another folder.',
        EXIT.cannotCreate,
      )
    case 'EROFS':
      return new UserError(`${path} is on a read-only file system`, 'Name another folder.', EXIT.cannotCreate)
    case 'ENOTDIR':
    case 'EEXIST':
      return new UserError(`${path} is in the way: it is no folder`, 'Move it, or name another.', EXIT.cannotCreate)
    case 'ENOSPC':
      return new UserError(`no space left for ${path}`, 'Free some space, then start again.', EXIT.cannotCreate)
    case 'ENOENT':
      return new UserError(`${path} does not exist`, 'Make it, or correct the path.', EXIT.config)
    default:
      return new UserError(`cannot use ${path}: ${message}`, 'Check the path and its file system.', EXIT.cannotCreate)
  }
}
