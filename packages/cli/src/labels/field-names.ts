/** What the names of fields say of their values, in many languages. */

/** The kinds of data that are looked for. */
export type NameKind = 'email' | 'phone' | 'iban' | 'national-id' | 'name' | 'birth'

/** Whole names, without separators and marks, in lower case. `name` alone says nothing of a person where its owner is a
 *  thing, so a person confirms it. */
const words: Readonly<Record<NameKind, string>> = {
  email:
    'email mail emailaddress mailaddress courriel correo correoelectronico epost почта электроннаяпочта 邮箱 電子メール メール 이메일',
  phone:
    'phone phonenumber telephone tel mobile mobilephone cell cellphone fax telefon telefonnummer handy mobil telefono telefone movil celular telefoon puhelin telefonas телефон τηλεφωνο 电话 手机 電話 電話番号 전화 전화번호 هاتف फोन',
  iban: 'iban accountiban kontonummer bankaccount',
  'national-id':
    'ssn socialsecuritynumber socialsecurity nationalid nationalidnumber nationalnumber taxid taxnumber tin passport passportnumber passportno idnumber identitynumber ahv ahvnummer avs personnummer personalnumber cpr bsn nino pesel cpf dni nie nif curp rut codicefiscale nir oib egn cnp jmbg aadhaar sozialversicherungsnummer steuerid ausweisnummer passnummer инн снилс паспорт 身份证 身份证号 マイナンバー 주민등록번호',
  name: 'name fullname firstname givenname middlename lastname familyname surname maidenname personname patientname customername displayname vorname nachname familienname nom prenom nomdefamille nombre apellido apellidos nome cognome sobrenome voornaam achternaam fornavn etternavn efternamn fornamn etunimi sukunimi imie nazwisko jmeno prijmeni имя фамилия отчество ονομα επωνυμο 姓名 名字 氏名 名前 이름 성명 اسم الاسم नाम שם',
  birth:
    'birth birthdate dateofbirth dob birthday birthyear yearofbirth born geburtsdatum geburtstag geburtsjahr geboren datedenaissance naissance fechadenacimiento nacimiento datadinascita datadenascimento geboortedatum fodselsdato fodelsedatum syntymaaika dataurodzenia датарождения ημερομηνιαγεννησης 出生日期 生年月日 생년월일',
}

const kinds = new Map(
  Object.entries(words).flatMap(([kind, list]) => list.split(' ').map((word) => [plain(word), kind as NameKind])),
)

/** What the last name of a path says; undefined when it says nothing. */
export function nameKind(path: string): NameKind | undefined {
  const last = path.replaceAll('[]', '').split('.').at(-1) ?? ''
  return kinds.get(plain(last)) ?? ending(last)
}

/** `home_phone` and `contactEmail` say it with their last word; `file_name` does not, so `name` only counts whole. */
function ending(last: string): NameKind | undefined {
  const word = last.split(/[_\s-]|(?<=\p{Ll})(?=\p{Lu})/u).at(-1) ?? ''
  const kind = kinds.get(plain(word))
  return kind === 'name' && plain(word) === 'name' ? undefined : kind
}

function plain(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\p{M}_\s.-]/gu, '')
    .toLowerCase()
}
