/**
 * HTML as a person sees it: the text that is shown, the text that is hidden from the eye but not from a filter, where links
 * say they go and where they go, and what is fetched or sent. One pass, nothing is run or fetched.
 *
 * Limits: octets of HTML, links, elements that are open. What is beyond them is not looked at, and `cut` says so.
 */
import { Parser } from 'htmlparser2'

/** Of the HTML of a part, in characters; newsletters have 100,000, rarely 200,000. */
export const HTML_LENGTH_MAX = 256 * 1024
export const LINKS_MAX = 500
/** Of the text of a link, in characters. */
const LINK_TEXT_MAX = 300
/** Elements inside each other; tables of newsletters have some 40. */
const NESTING_MAX = 200

export interface Link {
  readonly href: string
  /** What is shown for it. */
  readonly text: string
}

export interface HtmlView {
  readonly text: string
  readonly hidden: string
  readonly links: readonly Link[]
  /** Addresses of images that a mail program would fetch. */
  readonly images: readonly string[]
  /** Of them, those that are too small to be seen. */
  readonly pixels: number
  /** Where forms are sent; empty for a form that does not say. */
  readonly forms: readonly string[]
  /** Fields for a password. */
  readonly passwords: number
  readonly scripts: number
  /** Sends the reader elsewhere at once (`meta refresh`). */
  readonly redirects: readonly string[]
  readonly cut: boolean
}

/** Elements at which a line ends. */
const BLOCKS = new Set(
  'address article aside blockquote br center dd div dl dt footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol option p pre section table td th title tr ul'.split(
    ' ',
  ),
)
/** Their content is no text for people. */
const SILENT = new Set(['script', 'style', 'template', 'noscript', 'object', 'svg', 'xml', 'o:p'])
const VOID = new Set('area base br col embed hr img input link meta source track wbr'.split(' '))

const HIDING =
  /display\s{0,4}:\s{0,4}none|visibility\s{0,4}:\s{0,4}hidden|mso-hide\s{0,4}:\s{0,4}all|opacity\s{0,4}:\s{0,4}0(?:\.0{1,9})?(?:[;\s]|$)|font-size\s{0,4}:\s{0,4}(?:0(?:\.\d{1,9})?|1)(?:px|pt|em|%|[;\s]|$)|max-height\s{0,4}:\s{0,4}0|text-indent\s{0,4}:\s{0,4}-\d{3,9}/i

interface Open {
  readonly name: string
  readonly isHidden: boolean
  readonly isSilent: boolean
}

class Reading {
  readonly shown: string[] = []
  readonly hidden: string[] = []
  readonly links: Link[] = []
  readonly images: string[] = []
  readonly forms: string[] = []
  readonly redirects: string[] = []
  pixels = 0
  passwords = 0
  scripts = 0
  cut = false
  readonly #open: Open[] = []
  #link: { href: string; texts: string[]; length: number } | undefined

  opens(name: string, attributes: Readonly<Record<string, string>>): void {
    if (BLOCKS.has(name)) this.shown.push('\n')
    this.#look(name, attributes)
    if (VOID.has(name)) return
    if (this.#open.length >= NESTING_MAX) {
      this.cut = true
      return
    }
    const around = this.#open.at(-1)
    const hides = attributes['hidden'] !== undefined || HIDING.test(attributes['style']?.slice(0, 2000) ?? '')
    this.#open.push({
      name,
      isHidden: hides || around?.isHidden === true,
      isSilent: SILENT.has(name) || around?.isSilent === true,
    })
  }

  closes(name: string): void {
    if (BLOCKS.has(name)) this.shown.push('\n')
    if (name === 'a') this.#endLink()
    const at = this.#open.findLastIndex((open) => open.name === name)
    if (at >= 0) this.#open.length = at
  }

  text(text: string): void {
    const around = this.#open.at(-1)
    if (around?.isSilent) return
    if (around?.isHidden) {
      this.hidden.push(text)
      return
    }
    this.shown.push(text)
    const link = this.#link
    if (link !== undefined && link.length < LINK_TEXT_MAX) {
      link.texts.push(text.slice(0, LINK_TEXT_MAX))
      link.length += text.length
    }
  }

  end(): void {
    this.#endLink()
  }

  #look(name: string, attributes: Readonly<Record<string, string>>): void {
    switch (name) {
      case 'a':
      case 'area':
        this.#endLink()
        if (attributes['href'] !== undefined) this.#link = { href: attributes['href'], texts: [], length: 0 }
        if (name === 'area') this.#endLink()
        break
      case 'img':
        this.#image(attributes)
        break
      case 'form':
        this.forms.push(attributes['action'] ?? '')
        break
      case 'input':
        if (attributes['type']?.toLowerCase() === 'password') this.passwords++
        break
      case 'script':
        this.scripts++
        break
      case 'meta':
        if (attributes['http-equiv']?.toLowerCase() === 'refresh') this.redirects.push(attributes['content'] ?? '')
        break
    }
  }

  #image(attributes: Readonly<Record<string, string>>): void {
    const source = attributes['src'] ?? ''
    if (!/^\s{0,9}https?:/i.test(source)) return
    if (this.images.length < LINKS_MAX) this.images.push(source)
    if (isTiny(attributes['width']) && isTiny(attributes['height'])) this.pixels++
  }

  #endLink(): void {
    const link = this.#link
    this.#link = undefined
    if (link === undefined) return
    if (this.links.length < LINKS_MAX) this.links.push({ href: link.href.trim(), text: link.texts.join('').trim() })
    else this.cut = true
  }
}

const isTiny = (size: string | undefined): boolean => size !== undefined && /^\s{0,9}[01](?:px)?\s{0,9}$/.test(size)

export function readHtml(html: string): HtmlView {
  const reading = new Reading()
  const parser = new Parser(
    {
      onopentag: (name, attributes) => reading.opens(name, attributes),
      onclosetag: (name) => reading.closes(name),
      ontext: (text) => reading.text(text),
    },
    { decodeEntities: true, recognizeSelfClosing: false },
  )
  parser.end(html.slice(0, HTML_LENGTH_MAX))
  reading.end()
  const { links, images, pixels, forms, passwords, scripts, redirects } = reading
  const cut = reading.cut || html.length > HTML_LENGTH_MAX
  const [text, hidden] = [reading.shown.join(''), reading.hidden.join('')]
  return { text, hidden, links, images, pixels, forms, passwords, scripts, redirects, cut }
}
