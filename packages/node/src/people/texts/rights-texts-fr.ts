/** The words of the pages about a person's rights, in French. */
import type { RightsTexts } from './rights-texts.ts'

export const rightsTextsFr: RightsTexts = {
  title: 'Vos droits',
  intro: 'Vous pouvez demander ce qui est conservé sur vous et ce qui doit en être fait. C’est gratuit.',
  otherLink:
    'Ce lien ne vaut que pour une décision : celui qui l’a n’est pas forcément vous. Pour demander ce qui concerne vos données, demandez à {holder} un lien vers tout ce qui est à vous.',
  askHeading: 'Que voulez-vous demander ?',
  right: {
    access: [
      'Voir mes données',
      'Vous recevez tout ce qui est conservé sur vous, et qui l’a lu, quand et pourquoi, avec des preuves.',
    ],
    rectify: ['Corriger mes données', 'Ce qui est faux est corrigé, et tous ceux qui l’ont reçu en sont informés.'],
    erase: [
      'Supprimer mes données',
      'Ce qui est conservé sur vous est supprimé, tous vos accords prennent fin aussitôt, et tous ceux qui ont reçu des données doivent les supprimer.',
    ],
    restrict: [
      'Suspendre',
      'Vos données sont conservées, mais personne ne peut les utiliser tant que la question n’est pas réglée.',
    ],
    port: ['Emporter mes données', 'Vous recevez vos données sous une forme que d’autres organisations peuvent lire.'],
    object: [
      'M’opposer',
      'Vous dites que vos données ne doivent pas être utilisées ainsi. Vos accords sont suspendus aussitôt.',
    ],
  },
  ownHeading: 'Ce que vous avez demandé',
  none: 'Vous n’avez encore rien demandé.',
  status: {
    open: 'reçue',
    in_progress: 'en cours',
    fulfilled: 'faite',
    partially_fulfilled: 'faite en partie',
    denied: 'rejetée',
    revoked: 'retirée',
  },
  statusLabel: 'État',
  received: 'Reçue le',
  due: 'Réponse attendue avant le',
  overdue: 'La réponse est en retard.',
  longer: 'Cela prend plus de temps, parce que',
  closed: 'Close le',
  lifted: 'Terminée le',
  details: 'Détails',
  messageLabel: 'Ce que vous voulez en dire (facultatif)',
  fieldLabel: 'Ce qui est faux',
  fieldNone: 'veuillez choisir',
  valueLabel: 'Ce qui est juste',
  eraseSure: 'Je sais que cela ne peut pas être annulé.',
  sendButton: 'Envoyer',
  invalid: 'Il manque quelque chose. Veuillez revoir le formulaire.',
  storesHeading: 'Où vos données sont conservées',
  recipientsHeading: 'Qui a reçu vos données et a été informé',
  report: { open: 'pas encore de réponse', done: 'fait', refused: 'non fait' },
  takeBack: 'Retirer cette demande',
  download: 'Télécharger la réponse',
  downloadHint: 'Un fichier avec tout, signé, que vous pouvez montrer à d’autres.',
}
