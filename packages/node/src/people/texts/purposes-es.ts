/** The purposes of the Data Privacy Vocabulary in Spanish, by the last part of their IRI. */
export const purposesEs = `
AcademicResearch: investigación académica
AccountManagement: gestión de la cuenta
Advertising: publicidad
AgeVerification: comprobación de la edad
CombatClimateChange: lucha contra el cambio climático
CommercialPurpose: fines comerciales
CommercialResearch: investigación comercial
CommunicationForCustomerCare: comunicación de atención al cliente
CommunicationManagement: gestión de la comunicación
CounterMoneyLaundering: lucha contra el blanqueo de dinero
Counterterrorism: lucha contra el terrorismo
CustomerCare: atención al cliente
CustomerClaimsManagement: gestión de reclamaciones de clientes
CustomerManagement: gestión de clientes
CustomerOrderManagement: gestión de pedidos
CustomerRelationshipManagement: gestión de la relación con clientes
CustomerSolvencyMonitoring: vigilancia de la solvencia de clientes
DataAltruism: donación de datos para el bien común
DeliveryOfGoods: entrega de productos
DirectMarketing: publicidad directa
DisputeManagement: gestión de conflictos
EnforceAccessControl: control de acceso
EnforceSecurity: mantenimiento de la seguridad
EstablishContractualAgreement: celebración de un contrato
FraudPreventionAndDetection: prevención y detección del fraude
FulfilmentOfContractualObligation: cumplimiento de obligaciones contractuales
FulfilmentOfObligation: cumplimiento de obligaciones
HumanResourceManagement: recursos humanos
IdentityAuthentication: autenticación de la identidad
IdentityVerification: comprobación de la identidad
ImproveExistingProductsAndServices: mejora de productos y servicios existentes
ImproveHealthcare: mejora de la atención sanitaria
ImproveInternalCRMProcesses: mejora interna de la relación con clientes
ImprovePublicServices: mejora de los servicios públicos
ImproveTransportMobility: mejora del transporte y la movilidad
IncreaseServiceRobustness: mayor fiabilidad del servicio
InternalResourceOptimisation: mejor uso de los recursos internos
LegalCompliance: cumplimiento de la ley
MaintainFraudDatabase: mantenimiento de una base de datos de fraudes
Marketing: mercadotecnia
MemberPartnerManagement: gestión de miembros y socios
MisusePreventionAndDetection: prevención y detección de abusos
NonCommercialPurpose: fines no comerciales
NonCommercialResearch: investigación no comercial
OptimisationForConsumer: mejora para el consumidor
OptimisationForController: mejora para la organización
OptimiseUserInterface: mejora de la interfaz
OrganisationComplianceManagement: cumplimiento de normas en la organización
OrganisationGovernance: dirección de la organización
OrganisationRiskManagement: gestión de riesgos de la organización
PaymentManagement: gestión de pagos
Personalisation: personalización
PersonalisedAdvertising: publicidad personalizada
PersonalisedBenefits: ventajas personalizadas
PersonnelBehaviourMonitoring: vigilancia del comportamiento del personal
PersonnelHiring: contratación de personal
PersonnelManagement: gestión del personal
PersonnelMonitoring: vigilancia del personal
PersonnelOffboarding: salida del personal
PersonnelOnboarding: incorporación del personal
PersonnelPayment: pago del personal
PersonnelPerformanceEvaluation: evaluación del rendimiento del personal
PersonnelPerformanceManagement: gestión del rendimiento del personal
PersonnelPerformanceMonitoring: seguimiento del rendimiento del personal
PersonnelPerformancePrediction: predicción del rendimiento del personal
PersonnelPromotionManagement: ascensos del personal
PersonnelTerminationManagement: fin de contratos de trabajo
PersonnelWorkloadManagement: reparto del trabajo del personal
PoliticalCampaign: campaña política
ProtectionOfIPR: protección de la propiedad intelectual
ProtectionOfNationalSecurity: protección de la seguridad nacional
ProtectionOfPublicSecurity: protección de la seguridad pública
ProvideEventRecommendations: recomendación de actos
ProvideOfficialStatistics: estadística oficial
ProvidePersonalisedRecommendations: recomendaciones personalizadas
ProvideProductRecommendations: recomendación de productos
PublicBenefit: bien común
PublicPolicyMaking: elaboración de políticas públicas
PublicRelations: relaciones públicas
RecordManagement: gestión de expedientes
RecruitmentAdvertising: anuncios de empleo
RecruitmentApplicantBackgroundCheck: comprobación de antecedentes de candidatos
RecruitmentApplicantCriminalBackgroundCheck: comprobación de antecedentes penales de candidatos
RecruitmentApplicantInformationAuthentication: comprobación de los datos de candidatos
RecruitmentApplicantSelection: selección de candidatos
RecruitmentApplicationAnalysis: análisis de candidaturas
RecruitmentApplicationManagement: gestión de candidaturas
RecruitmentApplicationScreening: criba de candidaturas
RecruitmentInterviewAnalysis: análisis de entrevistas de trabajo
RecruitmentInterviewAssessment: valoración de entrevistas de trabajo
RecruitmentInterviewManagement: gestión de entrevistas de trabajo
RecruitmentInterviewScheduling: calendario de entrevistas de trabajo
RecruitmentManagement: selección de personal
RecruitmentTargetedAdvertising: anuncios de empleo dirigidos
RepairImpairments: corrección de fallos
RequestedServiceProvision: prestación de un servicio solicitado
ResearchAndDevelopment: investigación y desarrollo
RightsFulfilment: cumplimiento de derechos
ScientificResearch: investigación científica
SearchFunctionalities: funciones de búsqueda
SellDataToThirdParties: venta de datos a terceros
SellInsightsFromData: venta de conocimientos obtenidos de los datos
SellProducts: venta de productos
SellProductsToDataSubject: venta de productos a usted
ServiceOptimisation: mejora del servicio
ServicePersonalisation: personalización del servicio
ServiceProvision: prestación del servicio
ServiceRegistration: alta en el servicio
ServiceUsageAnalytics: análisis del uso del servicio
SocialMediaMarketing: publicidad en redes sociales
TargetedAdvertising: publicidad dirigida
TechnicalServiceProvision: funcionamiento técnico del servicio
UserInterfacePersonalisation: personalización de la interfaz
VendorManagement: gestión de proveedores
VendorPayment: pago a proveedores
VendorRecordsManagement: expedientes de proveedores
VendorSelectionAssessment: selección y valoración de proveedores
Verification: comprobación
`
