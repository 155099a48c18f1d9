/** Everything that the connection check can find wrong, by name. */
export type DiagnosisName =
  | "InvalidSettings"
  | "MissingSdk"
  | "NoBaseIdentity"
  | "ClockSkew"
  | "ExpiredBaseSession"
  | "UnknownAccessKey"
  | "EndpointOfAnotherRegion"
  | "WrongSecretKey"
  | "ProxyRefused"
  | "UntrustedCertificate"
  | "NoRouteToAws"
  | "Throttled"
  | "RegionDisabled"
  | "MayNotAssumeRole"
  | "MayNotPassTags"
  | "WrongTrustPrincipal"
  | "NotThePrincipal"
  | "WrongExternalId"
  | "RoleRefused"
  | "ConfusedDeputy"
  | "SessionNotScoped"
  | "ExplicitDeny"
  | "MissingInvokePermission"
  | "MissingQualifierPermission"
  | "FunctionInAnotherRegion"
  | "OtherAccountWithoutPermission"
  | "DurableWithoutQualifier"
  | "NotDurable"
  | "TenantNeeded"
  | "NotIsolated"
  | "DeletedFunction"
  | "DeletedAlias"
  | "DeletedVersion"
  | "DeliveryFailed"
  | "UnexpectedError";

/** What is wrong and the exact thing to change. */
export interface Diagnosis {
  readonly name: DiagnosisName;
  /** In a few words, for people. */
  readonly label: string;
  readonly advice: string;
}

/** A row of a table of diagnoses. */
export interface DiagnosisRule<Observed> {
  readonly name: DiagnosisName;
  readonly label: string;
  readonly applies: (observed: Observed) => boolean;
  readonly advice: (observed: Observed) => string;
}

/** The first diagnosis of the table that fits; the last row of a table fits everything. */
export function diagnose<Observed>(rules: readonly DiagnosisRule<Observed>[], observed: Observed): Diagnosis {
  const rule = rules.find(({ applies }) => applies(observed));
  if (!rule) throw new TypeError("No row of the table fits.");
  return { name: rule.name, label: rule.label, advice: rule.advice(observed) };
}
