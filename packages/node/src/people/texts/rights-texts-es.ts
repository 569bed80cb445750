/** The words of the pages about a person's rights, in Spanish. */
import type { RightsTexts } from './rights-texts.ts'

export const rightsTextsEs: RightsTexts = {
  title: 'Sus derechos',
  intro: 'Puede preguntar qué se guarda sobre usted y qué debe hacerse con ello. No cuesta nada.',
  otherLink:
    'Este enlace es solo para una decisión: quien lo tiene puede no ser usted. Para preguntar por sus datos, pida a {holder} un enlace a todo lo suyo.',
  askHeading: '¿Qué quiere pedir?',
  right: {
    access: [
      'Ver mis datos',
      'Recibe todo lo que se guarda sobre usted, y quién lo leyó, cuándo y para qué, con pruebas.',
    ],
    rectify: ['Corregir mis datos', 'Lo que es incorrecto se corrige, y se avisa a todos los que lo recibieron.'],
    erase: [
      'Borrar mis datos',
      'Se borra lo que se guarda sobre usted, todos sus permisos terminan al momento y quienes recibieron datos deben borrarlos.',
    ],
    restrict: [
      'Detener por ahora',
      'Sus datos se conservan, pero nadie puede usarlos hasta que se resuelva el asunto.',
    ],
    port: ['Llevarme mis datos', 'Recibe sus datos en una forma que otras organizaciones pueden leer.'],
    object: ['Oponerme', 'Dice que sus datos no deben usarse así. Sus permisos se detienen al momento.'],
  },
  ownHeading: 'Lo que ha pedido',
  none: 'Todavía no ha pedido nada.',
  status: {
    open: 'recibida',
    in_progress: 'en curso',
    fulfilled: 'hecha',
    partially_fulfilled: 'hecha en parte',
    denied: 'rechazada',
    revoked: 'retirada',
  },
  statusLabel: 'Estado',
  received: 'Recibida',
  due: 'Respuesta antes del',
  overdue: 'La respuesta se retrasa.',
  longer: 'Tarda más, porque',
  closed: 'Cerrada',
  lifted: 'Terminada',
  details: 'Detalles',
  messageLabel: 'Lo que quiera decir al respecto (no es necesario)',
  fieldLabel: 'Qué es incorrecto',
  fieldNone: 'elija, por favor',
  valueLabel: 'Cómo es correcto',
  eraseSure: 'Sé que esto no se puede deshacer.',
  sendButton: 'Enviar',
  invalid: 'Falta algo. Revise el formulario, por favor.',
  storesHeading: 'Dónde se guardan sus datos',
  recipientsHeading: 'Quién recibió sus datos y fue avisado',
  report: { open: 'sin respuesta todavía', done: 'hecho', refused: 'no hecho' },
  takeBack: 'Retirar la petición',
  download: 'Descargar la respuesta',
  downloadHint: 'Un archivo con todo, firmado, para que pueda mostrarlo a otros.',
}
