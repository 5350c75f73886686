import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMail } from './mail.ts'

const message = (...lines: string[]): Uint8Array => new TextEncoder().encode(lines.join('\r\n'))

const textOf = async (bytes: Uint8Array): Promise<string> => (await readMail(bytes)).text

test('a mail is its subject and its text, in one line', async () => {
  const text = await textOf(
    message('From: a@example.org', 'Subject: =?utf-8?q?Caf=C3=A9?= today', 'X-Spam: yes', '', 'Shall we', '', '  meet at =3D noon?', ''),
  )
  assert.equal(text, 'Café today Shall we meet at =3D noon?')
})

test('HTML is read without its tags, addresses of links and pictures', async () => {
  const html =
    '<html><head><style>p { color: red }</style></head><body><p>Buy <a href="http://x.example/?id=7">now</a>!</p><img src="a.gif"></body></html>'
  const asHtml = await textOf(message('Subject: Offer', 'Content-Type: text/html', '', html))
  assert.equal(asHtml, 'Offer Buy now!')
  const asText = await textOf(message('Subject: Offer', '', html))
  assert.equal(asText, asHtml)
})

test('of several parts the plain one is read, transfer encodings undone', async () => {
  const text = await textOf(
    message(
      'Subject: two',
      'Content-Type: multipart/alternative; boundary=cut',
      ...['', '--cut', 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: base64', '', 'cGxhaW4gdGV4dA=='],
      ...['--cut', 'Content-Type: text/html', '', '<p>marked up</p>', '--cut--', ''],
    ),
  )
  assert.equal(text, 'two plain text')
})

test('a sender is a name and an address, as far as there are any', async () => {
  const senderOf = async (...lines: string[]): Promise<string> => (await readMail(message(...lines, '', 'text'))).sender
  assert.equal(await senderOf('From: "Ann  B." <ann@example.org>'), 'Ann B. ann@example.org')
  assert.equal(await senderOf('From: ann@example.org'), 'ann@example.org')
  assert.equal(await senderOf('Subject: none'), '')
})
