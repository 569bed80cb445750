/* Confirms a decision with a passkey, where the browser knows them. Without this script the page works as well. */
'use strict'
;(() => {
  const form = document.getElementById('confirm')
  const part = document.getElementById('passkey')
  const button = document.getElementById('passkey-button')
  const failed = document.getElementById('passkey-failed')
  const browser = window.SimpleWebAuthnBrowser
  if (!form || !part || !button || !failed || !browser || !browser.browserSupportsWebAuthn()) return
  part.hidden = false

  const post = async (path, fields) => {
    const body = new URLSearchParams({ form: form.elements.form.value, hash: form.elements.hash.value, ...fields })
    const answer = await window.fetch(path, { method: 'POST', body, credentials: 'same-origin' })
    if (!answer.ok) throw new Error(`status ${answer.status}`)
    return answer.json()
  }

  const sign = async () => {
    let next = await post('/c/passkey/next', {})
    if (next.step === 'register') {
      const registration = await browser.startRegistration({ optionsJSON: next.options })
      next = await post('/c/passkey/register', { registration: JSON.stringify(registration) })
    }
    const assertion = await browser.startAuthentication({ optionsJSON: next.options })
    form.elements.assertion.value = JSON.stringify(assertion)
    form.submit()
  }

  button.addEventListener('click', async () => {
    failed.hidden = true
    button.disabled = true
    try {
      await sign()
    } catch {
      failed.hidden = false
      button.disabled = false
      button.focus()
    }
  })
})()
