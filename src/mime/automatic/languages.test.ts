import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AutomaticKind } from './automatic-mail.ts'
import { classify } from './classify.ts'
import { received } from './testing.ts'

const encoded = (subject: string): string => `=?utf-8?B?${Buffer.from(subject).toString('base64')}?=`
const mail = (fields: string, ...lines: string[]): string =>
  `To: anna@sender.example\n${fields}MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n${lines.join('\n')}\n`

describe('absences and other automatic replies', () => {
  const replies: [string, AutomaticKind][] = [
    ['Automatic reply: your order', 'auto-reply'],
    ['Automatische Antwort: Ihre Bestellung', 'auto-reply'],
    ['Abwesenheitsnotiz: Ihre Bestellung', 'out-of-office'],
    ['Out of Office AutoReply: your order', 'out-of-office'],
    ['Réponse automatique : votre commande', 'auto-reply'],
    ['Respuesta automática: su pedido', 'auto-reply'],
    ['Risposta automatica: ordine', 'auto-reply'],
    ['Automatisch antwoord: uw bestelling', 'auto-reply'],
    ['Automatyczna odpowiedź: zamówienie', 'auto-reply'],
    ['Resposta automática: encomenda', 'auto-reply'],
    ['自動返信：ご注文', 'auto-reply'],
    ['Autosvar: din bestilling', 'auto-reply'],
    ['Автоответ: заказ', 'auto-reply'],
  ]
  for (const [subject, kind] of replies) {
    it(subject, () => {
      const fields = `From: Bea <bea@bakery.example>\nSubject: ${encoded(subject)}\n`
      const judged = classify(received(mail(fields, 'Hello'), 'bea@bakery.example'))
      assert.equal(judged.kind, kind)
      assert.equal('author' in judged && judged.author, 'bea@bakery.example')
      // On a list it is somebody's mail, whatever it says.
      const list = mail(`${fields}List-Id: <bread.lists.example>\n`, 'Hello')
      assert.equal(classify(received(list, 'bea@bakery.example')).kind, 'ordinary')
      const quoted = mail(`From: b@c.example\nSubject: ${encoded(`Re: ${subject}`)}\n`, 'No')
      assert.equal(classify(received(quoted, 'b@c.example')).kind, 'ordinary')
    })
  }

  const texts = [
    'Ich bin bis zum 24.12. im Urlaub.',
    'I am out of the office until Monday.',
    'Je suis en congé.',
    'Estoy de vacaciones.',
    'Sono in ferie.',
    'Ik ben afwezig.',
    'Jestem na urlopie.',
    'Estou de férias.',
    '休暇をいただいております。',
  ]
  for (const text of texts) {
    it(`the words of an absence: ${text}`, () => {
      const fields = 'From: bea@bakery.example\nSubject: Re: hello\nAuto-Submitted: auto-replied (vacation)\n'
      assert.equal(classify(received(mail(fields, text))).kind, 'out-of-office')
    })
  }
})

interface Notice {
  readonly name: string
  readonly subject: string
  readonly lines: readonly string[]
  readonly recipient: string
  readonly status: string
  readonly format?: string
}

const NOTICES: readonly Notice[] = [
  {
    name: 'Exchange, German',
    subject: 'Unzustellbar: Brötchen',
    lines: [
      'Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:',
      '',
      'ben@baeckerei.example<mailto:ben@baeckerei.example>',
      'Die eingegebene E-Mail-Adresse konnte nicht gefunden werden.',
      '',
      'Diagnoseinformationen für Administratoren:',
      '#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##',
    ],
    recipient: 'ben@baeckerei.example',
    status: '5.1.1',
    format: 'exchange',
  },
  {
    name: 'a German provider, mailbox full',
    subject: 'Ihre E-Mail konnte nicht zugestellt werden',
    lines: [
      'Ihre Nachricht konnte an folgende Empfänger nicht zugestellt werden:',
      '',
      '  ben@baeckerei.example',
      '    Das Postfach des Empfängers ist voll.',
      '',
      '--- Es folgt eine Kopie der Nachricht ---',
      'Received: from a by b; Fri, 1 Jan 2027 10:00:00 +0100',
      'Message-ID: <1@sender.example>',
      'To: ben@baeckerei.example',
    ],
    recipient: 'ben@baeckerei.example',
    status: '5.2.2',
  },
  {
    name: 'a German provider, unknown',
    subject: 'Zustellung fehlgeschlagen',
    lines: ['Zustellung an <ben@baeckerei.example> nicht möglich: Empfänger unbekannt.'],
    recipient: 'ben@baeckerei.example',
    status: '5.1.1',
  },
  {
    name: 'smail, as T-Online had it',
    subject: 'mail failed, returning to sender',
    lines: [
      '|------------------------- Message log follows: -------------------------|',
      ' no valid recipients were found for this message',
      '|------------------------- Failed addresses follow: ---------------------|',
      ' <ben@baeckerei.example> ... transport smtp: 550 5.1.1 unknown recipient',
      '|------------------------- Message text follows: ------------------------|',
      'Received: from a by b; Fri, 1 Jan 2027 10:00:00 +0100',
      'Message-ID: <1@sender.example>',
    ],
    recipient: 'ben@baeckerei.example',
    status: '5.1.1',
  },
  {
    name: 'Domino, German',
    subject: 'ZUSTELLUNGSFEHLER: Benutzer ben nicht im Verzeichnis',
    lines: [
      'Ihr Dokument:',
      '  Brötchen',
      'wurde nicht zugestellt an:',
      '  ben@baeckerei.example',
      'weil:',
      '  Benutzer unbekannt',
    ],
    recipient: 'ben@baeckerei.example',
    status: '5.1.1',
  },
  {
    name: 'French',
    subject: 'Non remis : pain',
    lines: ['Échec de la remise aux destinataires suivants :', '', 'ben@boulangerie.example', 'Destinataire inconnu'],
    recipient: 'ben@boulangerie.example',
    status: '5.1.1',
  },
  {
    name: 'Spanish',
    subject: 'No se puede entregar: pan',
    lines: ['No se pudo entregar a los siguientes destinatarios:', '', 'ben@panaderia.example', 'Usuario desconocido'],
    recipient: 'ben@panaderia.example',
    status: '5.1.1',
  },
  {
    name: 'Italian',
    subject: 'Mancata consegna: pane',
    lines: [
      'Consegna non riuscita ai seguenti destinatari:',
      '',
      'ben@panificio.example',
      'La casella di posta è piena',
    ],
    recipient: 'ben@panificio.example',
    status: '5.2.2',
  },
  {
    name: 'Dutch',
    subject: 'Onbestelbaar: brood',
    lines: [
      'Het bericht kon niet worden bezorgd bij de volgende ontvanger:',
      '',
      'ben@bakker.example',
      'Onbekende gebruiker',
    ],
    recipient: 'ben@bakker.example',
    status: '5.1.1',
  },
  {
    name: 'Polish',
    subject: 'Niedostarczone: chleb',
    lines: [
      'Wiadomości nie można dostarczyć do następujących adresatów:',
      '',
      'ben@piekarnia.example',
      'Użytkownik nie istnieje',
    ],
    recipient: 'ben@piekarnia.example',
    status: '5.1.1',
  },
  {
    name: 'Portuguese',
    subject: 'Falha na entrega: pão',
    lines: [
      'A mensagem não foi entregue aos seguintes destinatários:',
      '',
      'ben@padaria.example',
      'A caixa de correio está cheia',
    ],
    recipient: 'ben@padaria.example',
    status: '5.2.2',
  },
  {
    name: 'Japanese',
    subject: 'メールエラー通知',
    lines: ['以下のメールアドレスへの送信に失敗しました。', '', 'ben@panya.example', 'メールボックスが一杯です'],
    recipient: 'ben@panya.example',
    status: '5.2.2',
  },
]

describe('notices in words', () => {
  for (const { name, subject, lines, recipient, status, format } of NOTICES) {
    it(name, () => {
      const fields = `From: Mail Delivery System <mailer-daemon@mx.example>\nSubject: ${encoded(subject)}\n`
      const judged = classify(received(mail(fields, ...lines)))
      assert.ok(judged.kind === 'dsn', JSON.stringify(judged))
      assert.deepEqual(
        judged.dsn.recipients.map((one) => [one.recipient, one.action, one.status]),
        [[recipient, 'failed', status]],
      )
      if (format) assert.equal(judged.dsn.format, format)
    })
  }
})
