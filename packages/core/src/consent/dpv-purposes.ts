/** The purposes of the W3C Data Privacy Vocabulary 2.2 (https://w3id.org/dpv/2.2, module "purposes"), each with the
 *  broader ones. Copyright the contributors to the DPV, W3C Software and Document License (2023): see NOTICE.
 *  Labels and definitions are left out; a name is the last part of the IRI `https://w3id.org/dpv#…`. */

/** Namespace of the vocabulary. */
export const dpvNamespace = 'https://w3id.org/dpv#'

// One broader purpose a line: `Broader: narrower narrower`. The root `Purpose` says nothing and is no line, so that
// nobody can consent to "any purpose" by it. `RightsFulfilment` stands under a legal basis in 2.2, so it is a root here.
const narrower = `
CommercialPurpose: CommercialResearch
CommunicationManagement: CommunicationForCustomerCare
CustomerCare: CommunicationForCustomerCare
CustomerManagement: CustomerCare CustomerClaimsManagement CustomerOrderManagement CustomerRelationshipManagement CustomerSolvencyMonitoring
CustomerRelationshipManagement: ImproveInternalCRMProcesses
EnforceSecurity: EnforceAccessControl IdentityAuthentication MisusePreventionAndDetection Verification
FraudPreventionAndDetection: CounterMoneyLaundering MaintainFraudDatabase
FulfilmentOfObligation: FulfilmentOfContractualObligation LegalCompliance ProtectionOfIPR
HumanResourceManagement: PersonnelManagement
Marketing: Advertising DirectMarketing PublicRelations SocialMediaMarketing
Advertising: PersonalisedAdvertising PoliticalCampaign RecruitmentAdvertising
MisusePreventionAndDetection: FraudPreventionAndDetection
NonCommercialPurpose: NonCommercialResearch
OptimisationForConsumer: OptimiseUserInterface
OptimisationForController: ImproveExistingProductsAndServices ImproveInternalCRMProcesses IncreaseServiceRobustness InternalResourceOptimisation
OrganisationGovernance: DisputeManagement MemberPartnerManagement OrganisationComplianceManagement OrganisationRiskManagement
Personalisation: PersonalisedAdvertising PoliticalCampaign ServicePersonalisation
PersonalisedAdvertising: TargetedAdvertising
PersonnelHiring: PersonnelOnboarding RecruitmentAdvertising RecruitmentManagement
PersonnelManagement: PersonnelHiring PersonnelMonitoring PersonnelOffboarding PersonnelPayment PersonnelPerformanceManagement PersonnelPromotionManagement PersonnelTerminationManagement PersonnelWorkloadManagement
PersonnelMonitoring: PersonnelBehaviourMonitoring PersonnelPerformanceManagement PersonnelPerformanceMonitoring
PersonnelPerformanceManagement: PersonnelPerformanceEvaluation PersonnelPerformanceMonitoring PersonnelPerformancePrediction
ProvidePersonalisedRecommendations: ProvideEventRecommendations ProvideProductRecommendations
PublicBenefit: CombatClimateChange Counterterrorism DataAltruism ImproveHealthcare ImprovePublicServices ImproveTransportMobility ProtectionOfNationalSecurity ProtectionOfPublicSecurity ProvideOfficialStatistics PublicPolicyMaking
RecruitmentAdvertising: RecruitmentTargetedAdvertising
RecruitmentApplicationManagement: RecruitmentApplicationAnalysis RecruitmentApplicationScreening
RecruitmentInterviewManagement: RecruitmentInterviewAnalysis RecruitmentInterviewAssessment RecruitmentInterviewScheduling
RecruitmentManagement: RecruitmentApplicantBackgroundCheck RecruitmentApplicantCriminalBackgroundCheck RecruitmentApplicantInformationAuthentication RecruitmentApplicantSelection RecruitmentApplicationManagement RecruitmentInterviewManagement
RequestedServiceProvision: DeliveryOfGoods
ResearchAndDevelopment: AcademicResearch CommercialResearch NonCommercialResearch ScientificResearch
SellProducts: SellDataToThirdParties SellInsightsFromData SellProductsToDataSubject
ServiceOptimisation: OptimisationForConsumer OptimisationForController
ServicePersonalisation: PersonalisedBenefits ProvidePersonalisedRecommendations UserInterfacePersonalisation
ServiceProvision: PaymentManagement RepairImpairments RequestedServiceProvision SearchFunctionalities SellProducts ServiceOptimisation ServicePersonalisation ServiceRegistration ServiceUsageAnalytics TechnicalServiceProvision
TargetedAdvertising: RecruitmentTargetedAdvertising
VendorManagement: VendorPayment VendorRecordsManagement VendorSelectionAssessment
Verification: AgeVerification IdentityVerification
`
const loneRoots = ['AccountManagement', 'EstablishContractualAgreement', 'RecordManagement', 'RightsFulfilment']

/** IRI of each purpose → IRIs of the purposes right above it; empty for the widest. */
export const dpvBroader: ReadonlyMap<string, readonly string[]> = readTable()

function readTable(): Map<string, string[]> {
  const broader = new Map<string, string[]>(loneRoots.map((name) => [dpvNamespace + name, []]))
  for (const line of narrower.trim().split('\n')) {
    const [name = '', names = ''] = line.split(': ')
    const iri = dpvNamespace + name
    if (!broader.has(iri)) broader.set(iri, [])
    for (const child of names.split(' ').map((part) => dpvNamespace + part)) {
      broader.set(child, [...(broader.get(child) ?? []), iri])
    }
  }
  return broader
}
