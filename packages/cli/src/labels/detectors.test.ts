import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { detect } from './detectors.ts'

const kindOf = (path: string, ...texts: string[]) => detect({ path, texts })?.kind

test('mail addresses of any script, and not what only has the sign', () => {
  const mails = ['ana@example.org', 'zoë.müller+x@uni.example.ch', 'почта@пример.рф', '用户@例子.中国']
  for (const mail of mails) assert.equal(kindOf('a', mail), 'email', mail)
  for (const text of ['@ana', 'ana@', 'a@b', 'price @ 7', 'node@2.0', 'https://x.example/@ana']) {
    assert.equal(kindOf('a', text), undefined, text)
  }
})

test('phone numbers of many countries with their code, and no other numbers', () => {
  const phones = ['+41 44 668 18 00', '+1 (212) 555-2368', '+33 1 42 68 53 00', '0049 30 901820', '+81 3-3580-3311']
  const more = ['+91 98765 43210', '+55 11 91234-5678', '+27 21 123 4567', '+971 4 123 4567', '+86 138 0013 8000']
  for (const phone of [...phones, ...more]) assert.equal(kindOf('a', phone), 'phone', phone)
  for (const text of ['+1', '+999 1234567', '2026-11-22', '12:30', '0446681800', '+12', '7.25']) {
    assert.equal(kindOf('a', text), undefined, text)
  }
  assert.equal(kindOf('home_phone', '044 668 18 00'), 'phone')
  assert.equal(kindOf('telefono', '٠١٢٣٤٥٦٧٨'), 'phone')
  assert.equal(kindOf('mobile', 'yes', 'no'), undefined)
})

test('IBANs with right check digits, however they are spaced', () => {
  const ibans = [
    'CH93 0076 2011 6238 5295 7',
    'DE89370400440532013000',
    'gb29 nwbk 6016 1331 9268 19',
    'NO9386011117947',
  ]
  for (const iban of [...ibans, 'MT84MALT011000012345MTLCAST001S', 'SA0380000000608010167519']) {
    assert.equal(kindOf('a', iban), 'iban', iban)
  }
  for (const text of ['DE89370400440532013001', 'XX00123456789', 'AB12CD34']) assert.equal(kindOf('a', text), undefined)
})

test('national ids of many countries where the name says so', () => {
  const ids: [string, string][] = [
    ['ahv', '756.9217.0769.85'],
    ['ssn', '536-90-4399'],
    ['nir', '2 55 08 14 168 025 38'],
    ['cpf', '390.533.447-05'],
    ['codice_fiscale', 'RCCMNL83S18D969H'],
    ['personnummer', '811228-9874'],
    ['bsn', '111222333'],
    ['PESEL', '44051401359'],
    ['passport_no', 'X1234567'],
    ['身份证号', '11010519491231002X'],
  ]
  for (const [name, id] of ids) assert.equal(kindOf(name, id), 'national-id', name)
  assert.equal(kindOf('ssn', 'none', 'unknown'), undefined)
})

test('ids without a name that says so only where many check digits are right', () => {
  const pesel = (serial: number) => {
    const digits = `900101${String(serial).padStart(4, '0')}`
    const weights = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]
    const sum = weights.reduce((total, weight, index) => total + weight * Number(digits[index]), 0)
    return `${digits}${(10 - (sum % 10)) % 10}`
  }
  assert.equal(kindOf('code', ...[101, 2023, 377, 4191, 5005, 6333].map(pesel)), 'national-id')
  assert.equal(kindOf('code', pesel(101), pesel(2023)), undefined)
  assert.equal(kindOf('code', ...[101, 2023, 377, 4191, 5005].map(pesel), '90010101010'), undefined)
})

test('running numbers are no national ids', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999_999_999 }), (first) => {
      const texts = Array.from({ length: 12 }, (_, index) => String(first + index))
      assert.equal(kindOf('id', ...texts), undefined)
    }),
    { numRuns: 60 },
  )
})

test('names in many scripts where the field is called so, and not what only looks like one', () => {
  const names = ['Ana Müller', "Siobhán O'Brien", 'Jean-Luc Picard', 'Мария Иванова', '山田太郎', '김민수', 'محمد علي']
  for (const name of [...names, 'Αλέξανδρος', 'प्रिया शर्मा', 'Müller, Ana'])
    assert.equal(kindOf('name', name), 'name', name)
  for (const field of ['first_name', 'Nachname', 'prénom', 'patient.surname', 'фамилия', '氏名', 'patientName']) {
    assert.equal(kindOf(field, 'Ana'), 'name', field)
  }
  for (const field of ['file_name', 'city', 'title', 'hostname', 'productName']) {
    assert.equal(kindOf(field, 'Ana'), undefined, field)
  }
  for (const text of ['report-2026.pdf', 'v1.0', 'https://a.example', '12'])
    assert.equal(kindOf('name', text), undefined)
})

test('dates of birth where the field is called so; any other date is only a date', () => {
  for (const field of ['date_of_birth', 'dob', 'Geburtsdatum', 'dateDeNaissance', '生年月日', 'born']) {
    assert.equal(kindOf(field, '1990-07-21'), 'birth', field)
  }
  assert.equal(kindOf('created', '1990-07-21'), undefined)
  assert.equal(kindOf('born', 'yes'), undefined)
})

test('a few bad entries hide nothing, and no reason holds a value', () => {
  const texts = ['ana@example.org', 'bo@example.org', 'cy@example.org', 'di@example.org', 'n/a']
  assert.equal(kindOf('a', ...texts), 'email')
  assert.equal(kindOf('a', 'ana@example.org', 'see notes', 'none'), undefined)
  for (const [path, text] of [
    ['a', 'ana@example.org'],
    ['ssn', '536-90-4399'],
    ['name', 'Ana'],
  ] as const) {
    assert.ok(!(detect({ path, texts: [text] })?.reason ?? text).includes(text))
  }
  assert.equal(detect({ path: 'email', texts: [] })?.kind, 'email')
})
