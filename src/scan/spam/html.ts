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
  /** Images that the message brings itself. */
  readonly embedded: number
  /** Characters of text in the very colour of the background that an element around it has; they are part of `hidden`. */
  readonly camouflaged: number
  /** Words that go on behind a tag or a comment. */
  readonly cutWords: number
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
  readonly colour: string | undefined
  readonly background: string | undefined
}

class Reading {
  readonly shown: string[] = []
  readonly hidden: string[] = []
  readonly links: Link[] = []
  readonly images: string[] = []
  readonly forms: string[] = []
  readonly redirects: string[] = []
  pixels = 0
  embedded = 0
  camouflaged = 0
  cutWords = 0
  passwords = 0
  scripts = 0
  cut = false
  #isTagBetween = false
  #endsInLetter = false
  readonly #open: Open[] = []
  #link: { href: string; texts: string[]; length: number } | undefined

  opens(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#breaks(name)
    this.#look(name, attributes)
    if (VOID.has(name)) return
    if (this.#open.length >= NESTING_MAX) {
      this.cut = true
      return
    }
    const around = this.#open.at(-1)
    const style = attributes['style']?.slice(0, STYLE_LENGTH_MAX) ?? ''
    const hides = attributes['hidden'] !== undefined || HIDING.test(style)
    this.#open.push({
      name,
      isHidden: hides || around?.isHidden === true,
      isSilent: SILENT.has(name) || around?.isSilent === true,
      ...colours(style, attributes, around),
    })
  }

  comment(): void {
    this.#isTagBetween = true
  }

  closes(name: string): void {
    this.#breaks(name)
    if (name === 'a') this.#endLink()
    const at = this.#open.findLastIndex((open) => open.name === name)
    if (at >= 0) this.#open.length = at
  }

  text(text: string): void {
    const around = this.#open.at(-1)
    if (around?.isSilent) return
    const isCamouflaged = around?.background !== undefined && around.colour === around.background
    if (isCamouflaged && !around.isHidden) this.camouflaged += text.trim().length
    if (isCamouflaged || around?.isHidden) {
      this.hidden.push(text)
      return
    }
    if (this.#isTagBetween && this.#endsInLetter && STARTS_WITH_LETTER.test(text)) this.cutWords++
    this.#isTagBetween = false
    this.#endsInLetter = ENDS_IN_LETTER.test(text)
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

  #breaks(name: string): void {
    if (BLOCKS.has(name)) {
      this.shown.push('\n')
      this.#endsInLetter = false
    } else if (name === 'sup' || name === 'sub' || name === 'img') this.#endsInLetter = false
    this.#isTagBetween = true
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
    if (!/^\s{0,9}https?:/i.test(source)) {
      if (/^\s{0,9}(?:cid|data):/i.test(source)) this.embedded++
      return
    }
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

/** Of an attribute, in characters. */
const STYLE_LENGTH_MAX = 2_000
const STARTS_WITH_LETTER = /^\p{L}/u
const ENDS_IN_LETTER = /\p{L}$/u
const COLOUR = /(?:^|[;\s"'])color\s{0,4}:\s{0,4}([#\w(),. ]{3,30})/i
const BACKGROUND = /background(?:-color)?\s{0,4}:\s{0,4}([#\w(),. ]{3,30})/i

/** Colours that the element has of its own or from those around it; only what can be compared for certain. */
function colours(
  style: string,
  attributes: Readonly<Record<string, string>>,
  around: Open | undefined,
): Pick<Open, 'colour' | 'background'> {
  const colour = COLOUR.exec(style)?.[1] ?? attributes['color'] ?? attributes['text']
  const hasImage = attributes['background'] !== undefined || /url\(|gradient/i.test(style)
  const background = BACKGROUND.exec(style)?.[1] ?? attributes['bgcolor']
  return {
    colour: colour === undefined ? around?.colour : colourOf(colour),
    background: hasImage ? undefined : background === undefined ? around?.background : colourOf(background),
  }
}

const NAMED: Readonly<Record<string, string>> = { white: '#ffffff', black: '#000000' }

/** `#rrggbb`; undefined for what is not a plain colour. */
function colourOf(text: string): string | undefined {
  const colour = text.trim().toLowerCase().split(/\s/)[0]!
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/.exec(colour)
  if (short !== null) return `#${short[1]}${short[1]}${short[2]}${short[2]}${short[3]}${short[3]}`
  if (/^#[0-9a-f]{6}$/.test(colour)) return colour
  const parts = /^rgba?\((\d{1,3}), ?(\d{1,3}), ?(\d{1,3})/.exec(text.trim().toLowerCase())
  if (parts === null) return NAMED[colour]
  return `#${parts
    .slice(1, 4)
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')}`
}

const isTiny = (size: string | undefined): boolean => size !== undefined && /^\s{0,9}[01](?:px)?\s{0,9}$/.test(size)

export function readHtml(html: string): HtmlView {
  const reading = new Reading()
  const parser = new Parser(
    {
      onopentag: (name, attributes) => reading.opens(name, attributes),
      onclosetag: (name) => reading.closes(name),
      ontext: (text) => reading.text(text),
      oncomment: () => reading.comment(),
    },
    { decodeEntities: true, recognizeSelfClosing: false },
  )
  parser.end(html.slice(0, HTML_LENGTH_MAX))
  reading.end()
  const { links, images, pixels, embedded, camouflaged, cutWords, forms, passwords, scripts, redirects } = reading
  const cut = reading.cut || html.length > HTML_LENGTH_MAX
  const [text, hidden] = [reading.shown.join(''), reading.hidden.join('')]
  const counts = { pixels, embedded, camouflaged, cutWords, passwords, scripts }
  return { text, hidden, links, images, forms, redirects, ...counts, cut }
}
