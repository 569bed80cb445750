/** The purposes of the Data Privacy Vocabulary in French, by the last part of their IRI. */
export const purposesFr = `
AcademicResearch: recherche universitaire
AccountManagement: gestion du compte
Advertising: publicité
AgeVerification: vérification de l’âge
CombatClimateChange: lutte contre le changement climatique
CommercialPurpose: fins commerciales
CommercialResearch: recherche commerciale
CommunicationForCustomerCare: communication du service client
CommunicationManagement: gestion de la communication
CounterMoneyLaundering: lutte contre le blanchiment
Counterterrorism: lutte contre le terrorisme
CustomerCare: service client
CustomerClaimsManagement: traitement des réclamations des clients
CustomerManagement: gestion des clients
CustomerOrderManagement: traitement des commandes
CustomerRelationshipManagement: suivi de la relation client
CustomerSolvencyMonitoring: surveillance de la solvabilité des clients
DataAltruism: don de données pour l’intérêt général
DeliveryOfGoods: livraison de marchandises
DirectMarketing: publicité directe
DisputeManagement: traitement des litiges
EnforceAccessControl: contrôle des accès
EnforceSecurity: maintien de la sécurité
EstablishContractualAgreement: conclusion d’un contrat
FraudPreventionAndDetection: prévention et détection de la fraude
FulfilmentOfContractualObligation: exécution d’obligations contractuelles
FulfilmentOfObligation: exécution d’obligations
HumanResourceManagement: ressources humaines
IdentityAuthentication: authentification de l’identité
IdentityVerification: vérification de l’identité
ImproveExistingProductsAndServices: amélioration des produits et services existants
ImproveHealthcare: amélioration des soins de santé
ImproveInternalCRMProcesses: amélioration interne du suivi des clients
ImprovePublicServices: amélioration des services publics
ImproveTransportMobility: amélioration des transports et de la mobilité
IncreaseServiceRobustness: renforcement de la fiabilité du service
InternalResourceOptimisation: meilleur emploi des ressources internes
LegalCompliance: respect de la loi
MaintainFraudDatabase: tenue d’une base de données sur la fraude
Marketing: marketing
MemberPartnerManagement: gestion des membres et partenaires
MisusePreventionAndDetection: prévention et détection des abus
NonCommercialPurpose: fins non commerciales
NonCommercialResearch: recherche non commerciale
OptimisationForConsumer: amélioration pour le consommateur
OptimisationForController: amélioration pour l’organisation
OptimiseUserInterface: amélioration de l’interface
OrganisationComplianceManagement: respect des règles dans l’organisation
OrganisationGovernance: direction de l’organisation
OrganisationRiskManagement: gestion des risques de l’organisation
PaymentManagement: gestion des paiements
Personalisation: personnalisation
PersonalisedAdvertising: publicité personnalisée
PersonalisedBenefits: avantages personnalisés
PersonnelBehaviourMonitoring: surveillance du comportement du personnel
PersonnelHiring: embauche de personnel
PersonnelManagement: gestion du personnel
PersonnelMonitoring: surveillance du personnel
PersonnelOffboarding: départ du personnel
PersonnelOnboarding: accueil du personnel
PersonnelPayment: paie du personnel
PersonnelPerformanceEvaluation: évaluation des résultats du personnel
PersonnelPerformanceManagement: gestion des résultats du personnel
PersonnelPerformanceMonitoring: suivi des résultats du personnel
PersonnelPerformancePrediction: prévision des résultats du personnel
PersonnelPromotionManagement: promotion du personnel
PersonnelTerminationManagement: fin des contrats de travail
PersonnelWorkloadManagement: répartition du travail du personnel
PoliticalCampaign: campagne politique
ProtectionOfIPR: protection de la propriété intellectuelle
ProtectionOfNationalSecurity: protection de la sécurité nationale
ProtectionOfPublicSecurity: protection de la sécurité publique
ProvideEventRecommendations: recommandation d’événements
ProvideOfficialStatistics: statistique publique
ProvidePersonalisedRecommendations: recommandations personnalisées
ProvideProductRecommendations: recommandation de produits
PublicBenefit: intérêt général
PublicPolicyMaking: élaboration de politiques publiques
PublicRelations: relations publiques
RecordManagement: tenue des dossiers
RecruitmentAdvertising: annonces d’emploi
RecruitmentApplicantBackgroundCheck: vérification des antécédents des candidats
RecruitmentApplicantCriminalBackgroundCheck: vérification des antécédents judiciaires des candidats
RecruitmentApplicantInformationAuthentication: vérification des informations des candidats
RecruitmentApplicantSelection: sélection des candidats
RecruitmentApplicationAnalysis: analyse des candidatures
RecruitmentApplicationManagement: traitement des candidatures
RecruitmentApplicationScreening: tri des candidatures
RecruitmentInterviewAnalysis: analyse des entretiens d’embauche
RecruitmentInterviewAssessment: évaluation des entretiens d’embauche
RecruitmentInterviewManagement: gestion des entretiens d’embauche
RecruitmentInterviewScheduling: planification des entretiens d’embauche
RecruitmentManagement: recrutement
RecruitmentTargetedAdvertising: annonces d’emploi ciblées
RepairImpairments: correction des défauts
RequestedServiceProvision: fourniture d’un service demandé
ResearchAndDevelopment: recherche et développement
RightsFulfilment: exercice de droits
ScientificResearch: recherche scientifique
SearchFunctionalities: fonctions de recherche
SellDataToThirdParties: vente de données à des tiers
SellInsightsFromData: vente d’enseignements tirés des données
SellProducts: vente de produits
SellProductsToDataSubject: vente de produits à vous-même
ServiceOptimisation: amélioration du service
ServicePersonalisation: personnalisation du service
ServiceProvision: fourniture du service
ServiceRegistration: inscription au service
ServiceUsageAnalytics: analyse de l’utilisation du service
SocialMediaMarketing: marketing sur les réseaux sociaux
TargetedAdvertising: publicité ciblée
TechnicalServiceProvision: fonctionnement technique du service
UserInterfacePersonalisation: personnalisation de l’interface
VendorManagement: gestion des fournisseurs
VendorPayment: paiement des fournisseurs
VendorRecordsManagement: tenue des dossiers des fournisseurs
VendorSelectionAssessment: choix et évaluation des fournisseurs
Verification: vérification
`
