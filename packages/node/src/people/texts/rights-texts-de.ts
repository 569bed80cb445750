/** The words of the pages about a person's rights, in German. */
import type { RightsTexts } from './rights-texts.ts'

export const rightsTextsDe: RightsTexts = {
  title: 'Ihre Rechte',
  intro: 'Sie können fragen, was über Sie gespeichert ist und was damit geschehen soll. Das kostet nichts.',
  otherLink:
    'Dieser Link gilt nur für eine Entscheidung: Wer ihn hat, müssen nicht Sie sein. Um nach Ihren Daten zu fragen, bitten Sie {holder} um einen Link zu allem, was Sie betrifft.',
  askHeading: 'Was möchten Sie verlangen?',
  right: {
    access: [
      'Meine Daten sehen',
      'Sie erhalten alles, was über Sie gespeichert ist, und wer es wann und wozu gelesen hat, mit Nachweisen.',
    ],
    rectify: [
      'Meine Daten berichtigen',
      'Falsches wird richtiggestellt, und alle, die es erhalten haben, erfahren davon.',
    ],
    erase: [
      'Meine Daten löschen',
      'Was über Sie gespeichert ist, wird gelöscht, alle Einwilligungen enden sofort, und alle, die Daten erhalten haben, müssen sie löschen.',
    ],
    restrict: [
      'Vorerst anhalten',
      'Ihre Daten bleiben gespeichert, aber niemand darf sie nutzen, bis die Sache geklärt ist.',
    ],
    port: ['Meine Daten mitnehmen', 'Sie erhalten Ihre Daten in einer Form, die andere Organisationen lesen können.'],
    object: [
      'Widersprechen',
      'Sie sagen, dass Ihre Daten so nicht genutzt werden dürfen. Einwilligungen ruhen sofort.',
    ],
  },
  ownHeading: 'Was Sie verlangt haben',
  none: 'Sie haben noch nichts verlangt.',
  status: {
    open: 'eingegangen',
    in_progress: 'in Arbeit',
    fulfilled: 'erledigt',
    partially_fulfilled: 'teilweise erledigt',
    denied: 'abgelehnt',
    revoked: 'zurückgenommen',
  },
  statusLabel: 'Stand',
  received: 'Eingegangen',
  due: 'Antwort fällig bis',
  overdue: 'Die Antwort ist überfällig.',
  longer: 'Es dauert länger, weil',
  closed: 'Abgeschlossen',
  lifted: 'Beendet',
  details: 'Einzelheiten',
  messageLabel: 'Was Sie dazu sagen möchten (freiwillig)',
  fieldLabel: 'Was falsch ist',
  fieldNone: 'bitte wählen',
  valueLabel: 'Wie es richtig ist',
  eraseSure: 'Ich weiß, dass sich das nicht rückgängig machen lässt.',
  sendButton: 'Absenden',
  invalid: 'Es fehlt etwas. Bitte sehen Sie das Formular noch einmal an.',
  storesHeading: 'Wo Ihre Daten gespeichert sind',
  recipientsHeading: 'Wer Ihre Daten erhalten hat und benachrichtigt wurde',
  report: { open: 'noch keine Antwort', done: 'erledigt', refused: 'nicht erledigt' },
  takeBack: 'Zurücknehmen',
  download: 'Antwort herunterladen',
  downloadHint: 'Eine Datei mit allem, unterschrieben, damit Sie sie anderen zeigen können.',
}
