/** The purposes of the Data Privacy Vocabulary in Arabic, by the last part of their IRI. */
export const purposesAr = `
AcademicResearch: البحث الأكاديمي
AccountManagement: إدارة الحساب
Advertising: الإعلان
AgeVerification: التحقق من العمر
CombatClimateChange: مكافحة تغيّر المناخ
CommercialPurpose: أغراض تجارية
CommercialResearch: البحث التجاري
CommunicationForCustomerCare: التواصل لخدمة العملاء
CommunicationManagement: إدارة التواصل
CounterMoneyLaundering: مكافحة غسل الأموال
Counterterrorism: مكافحة الإرهاب
CustomerCare: خدمة العملاء
CustomerClaimsManagement: معالجة مطالبات العملاء
CustomerManagement: إدارة العملاء
CustomerOrderManagement: معالجة الطلبات
CustomerRelationshipManagement: إدارة العلاقة مع العملاء
CustomerSolvencyMonitoring: متابعة ملاءة العملاء
DataAltruism: التبرع بالبيانات للصالح العام
DeliveryOfGoods: توصيل البضائع
DirectMarketing: التسويق المباشر
DisputeManagement: معالجة النزاعات
EnforceAccessControl: ضبط الدخول
EnforceSecurity: حفظ الأمن
EstablishContractualAgreement: إبرام عقد
FraudPreventionAndDetection: منع الاحتيال وكشفه
FulfilmentOfContractualObligation: الوفاء بالتزامات العقد
FulfilmentOfObligation: الوفاء بالالتزامات
HumanResourceManagement: الموارد البشرية
IdentityAuthentication: إثبات الهوية عند الدخول
IdentityVerification: التحقق من الهوية
ImproveExistingProductsAndServices: تحسين المنتجات والخدمات القائمة
ImproveHealthcare: تحسين الرعاية الصحية
ImproveInternalCRMProcesses: تحسين أعمال خدمة العملاء الداخلية
ImprovePublicServices: تحسين الخدمات العامة
ImproveTransportMobility: تحسين النقل والتنقل
IncreaseServiceRobustness: زيادة موثوقية الخدمة
InternalResourceOptimisation: تحسين استخدام الموارد الداخلية
LegalCompliance: الالتزام بالقانون
MaintainFraudDatabase: حفظ قاعدة بيانات للاحتيال
Marketing: التسويق
MemberPartnerManagement: إدارة الأعضاء والشركاء
MisusePreventionAndDetection: منع إساءة الاستخدام وكشفها
NonCommercialPurpose: أغراض غير تجارية
NonCommercialResearch: البحث غير التجاري
OptimisationForConsumer: التحسين لصالح المستهلك
OptimisationForController: التحسين لصالح المؤسسة
OptimiseUserInterface: تحسين واجهة الاستخدام
OrganisationComplianceManagement: الالتزام بالقواعد داخل المؤسسة
OrganisationGovernance: إدارة المؤسسة
OrganisationRiskManagement: إدارة مخاطر المؤسسة
PaymentManagement: إدارة المدفوعات
Personalisation: التخصيص الشخصي
PersonalisedAdvertising: الإعلان المخصّص
PersonalisedBenefits: مزايا مخصّصة
PersonnelBehaviourMonitoring: مراقبة سلوك العاملين
PersonnelHiring: توظيف العاملين
PersonnelManagement: إدارة شؤون العاملين
PersonnelMonitoring: مراقبة العاملين
PersonnelOffboarding: إنهاء خدمة العاملين
PersonnelOnboarding: تهيئة العاملين الجدد
PersonnelPayment: أجور العاملين
PersonnelPerformanceEvaluation: تقييم أداء العاملين
PersonnelPerformanceManagement: إدارة أداء العاملين
PersonnelPerformanceMonitoring: متابعة أداء العاملين
PersonnelPerformancePrediction: توقّع أداء العاملين
PersonnelPromotionManagement: ترقية العاملين
PersonnelTerminationManagement: إنهاء عقود العمل
PersonnelWorkloadManagement: توزيع العمل على العاملين
PoliticalCampaign: حملة سياسية
ProtectionOfIPR: حماية الملكية الفكرية
ProtectionOfNationalSecurity: حماية الأمن الوطني
ProtectionOfPublicSecurity: حماية الأمن العام
ProvideEventRecommendations: التوصية بفعاليات
ProvideOfficialStatistics: الإحصاء الرسمي
ProvidePersonalisedRecommendations: توصيات مخصّصة
ProvideProductRecommendations: التوصية بمنتجات
PublicBenefit: الصالح العام
PublicPolicyMaking: وضع السياسات العامة
PublicRelations: العلاقات العامة
RecordManagement: حفظ السجلات
RecruitmentAdvertising: إعلانات الوظائف
RecruitmentApplicantBackgroundCheck: التحقق من خلفية المتقدمين
RecruitmentApplicantCriminalBackgroundCheck: التحقق من سوابق المتقدمين
RecruitmentApplicantInformationAuthentication: التحقق من بيانات المتقدمين
RecruitmentApplicantSelection: اختيار المتقدمين
RecruitmentApplicationAnalysis: تحليل طلبات التوظيف
RecruitmentApplicationManagement: معالجة طلبات التوظيف
RecruitmentApplicationScreening: فرز طلبات التوظيف
RecruitmentInterviewAnalysis: تحليل مقابلات التوظيف
RecruitmentInterviewAssessment: تقييم مقابلات التوظيف
RecruitmentInterviewManagement: إدارة مقابلات التوظيف
RecruitmentInterviewScheduling: جدولة مقابلات التوظيف
RecruitmentManagement: التوظيف
RecruitmentTargetedAdvertising: إعلانات وظائف موجّهة
RepairImpairments: إصلاح الأعطال
RequestedServiceProvision: تقديم خدمة مطلوبة
ResearchAndDevelopment: البحث والتطوير
RightsFulfilment: الوفاء بالحقوق
ScientificResearch: البحث العلمي
SearchFunctionalities: وظائف البحث
SellDataToThirdParties: بيع البيانات لأطراف أخرى
SellInsightsFromData: بيع ما يُستخلص من البيانات
SellProducts: بيع المنتجات
SellProductsToDataSubject: بيع المنتجات لك
ServiceOptimisation: تحسين الخدمة
ServicePersonalisation: تخصيص الخدمة
ServiceProvision: تقديم الخدمة
ServiceRegistration: التسجيل في الخدمة
ServiceUsageAnalytics: تحليل استخدام الخدمة
SocialMediaMarketing: التسويق عبر وسائل التواصل
TargetedAdvertising: الإعلان الموجّه
TechnicalServiceProvision: التشغيل التقني للخدمة
UserInterfacePersonalisation: تخصيص واجهة الاستخدام
VendorManagement: إدارة الموردين
VendorPayment: دفع مستحقات الموردين
VendorRecordsManagement: حفظ سجلات الموردين
VendorSelectionAssessment: اختيار الموردين وتقييمهم
Verification: التحقق
`
