/** What HTML does behind the back of its reader: text that only filters see, forms, scripts, pages that are one picture. */
import type { Said, SpamRules } from '../contract.ts'
import type { HtmlView } from '../html.ts'
import type { SpamMessage } from '../message.ts'

const symbols = {
  HTML_FORM_PASSWORD: {
    family: 'html',
    weight: 3,
    en: 'asks for a password in the mail',
    de: 'fragt in der Mail nach einem Passwort',
  },
  HTML_FORM: { family: 'html', weight: 1, en: 'has a form', de: 'enthält ein Formular' },
  HTML_SCRIPT: { family: 'html', weight: 1, en: 'has a script', de: 'enthält ein Skript' },
  HTML_REDIRECT: {
    family: 'html',
    weight: 2,
    en: 'sends the reader elsewhere at once',
    de: 'schickt den Leser sofort woandershin',
  },
  HTML_HIDDEN_WORDS: {
    family: 'html',
    weight: 0,
    en: 'hides more words from the eye than it shows',
    de: 'verbirgt mehr Wörter vor dem Auge, als sie zeigt',
  },
  HTML_TEXT_IN_BACKGROUND: {
    family: 'html',
    weight: 1.5,
    en: 'has text in the colour of its background',
    de: 'enthält Text in der Farbe seines Hintergrunds',
  },
  HTML_PICTURE_ONLY: {
    family: 'html',
    weight: 2.5,
    en: 'is a picture with a link and hardly a word',
    de: 'ist ein Bild mit Link und kaum ein Wort',
  },
  HTML_WORDS_CUT: {
    family: 'html',
    weight: 2.5,
    en: 'cuts words with tags, so that only the eye can read them',
    de: 'zerschneidet Wörter mit Tags, so dass nur das Auge sie liest',
  },
  HTML_PIXEL: {
    family: 'html',
    weight: 0,
    en: 'tells its sender when it is read',
    de: 'meldet dem Absender, wann sie gelesen wird',
  },
} as const

export const htmlRules: SpamRules = {
  symbols,
  *look({ texts }: SpamMessage) {
    for (const { html } of texts) if (html !== undefined) yield* view(html)
    const htmls = texts.flatMap(({ html }) => html ?? [])
    const shown = texts.reduce((sum, { text }) => sum + wordsIn(text), 0)
    const pictures = htmls.reduce((sum, { images, pixels, embedded }) => sum + images.length + embedded - pixels, 0)
    const links = htmls.reduce((sum, html) => sum + html.links.length, 0)
    if (htmls.length > 0 && pictures > 0 && links > 0 && shown <= PICTURE_WORDS_MAX)
      yield { symbol: 'HTML_PICTURE_ONLY' }
  },
}

/** Words beside a picture that say nothing: a title, a line to unsubscribe. */
const PICTURE_WORDS_MAX = 15
/** Hidden words that are more than a preview line. */
const HIDDEN_WORDS_MIN = 40
/** Shown beside them. */
const SHOWN_WORDS_MAX = 40
/** Words that are cut; one or two are an accident of whoever writes HTML. */
const CUT_WORDS_MIN = 4
/** One in so many. */
const CUT_SHARE = 12

function* view(html: HtmlView): Iterable<Said> {
  if (html.passwords > 0) yield { symbol: 'HTML_FORM_PASSWORD' }
  else if (html.forms.length > 0) yield { symbol: 'HTML_FORM' }
  if (html.scripts > 0) yield { symbol: 'HTML_SCRIPT' }
  if (html.redirects.some((content) => /url/i.test(content))) yield { symbol: 'HTML_REDIRECT' }
  if (html.pixels > 0) yield { symbol: 'HTML_PIXEL' }
  if (html.camouflaged > 0) yield { symbol: 'HTML_TEXT_IN_BACKGROUND' }
  if (html.cutWords >= CUT_WORDS_MIN && html.cutWords * CUT_SHARE > wordsIn(html.text))
    yield { symbol: 'HTML_WORDS_CUT', detail: `${html.cutWords} words` }
  const hidden = wordsIn(html.hidden)
  if (hidden >= HIDDEN_WORDS_MIN && wordsIn(html.text) <= SHOWN_WORDS_MAX)
    yield { symbol: 'HTML_HIDDEN_WORDS', detail: `${hidden} words` }
}

/** Of texts that are counted, in characters. */
const TEXT_LENGTH_MAX = 20_000

/** Fillers of preview lines are invisible and no words. */
const wordsIn = (text: string): number => text.slice(0, TEXT_LENGTH_MAX).match(/[\p{L}\p{N}]{2,99}/gu)?.length ?? 0
