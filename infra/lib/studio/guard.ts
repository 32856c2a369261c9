/**
 * The contract between the template and the function `studio-resource`, for `Custom::TidegateStudioGuard`.
 *
 * Properties: one for each setting of the domain that CloudFormation cannot change in place (`AuthMode`, `DomainName`,
 * `KmsKeyId`, `VpcId`, all texts, and `Tags`, an array of `{Key, Value}`), and `AllowReplacement`, `"true"` or `"false"`.
 * `ServiceToken` and `ServiceTimeout` are CloudFormation's.
 *
 * Create: succeeds; PhysicalResourceId names the settings, for instance `studio-guard-<SHA-256 of the properties without
 * ServiceToken, ServiceTimeout and AllowReplacement>`.
 * Update: succeeds if the digest of `ResourceProperties` is the one in the event's `PhysicalResourceId` (nothing changed, or
 * CloudFormation rolls back to what was there), or if `AllowReplacement` is `"true"` in ResourceProperties or in
 * OldResourceProperties (a rollback of an update that was allowed). Else FAILED, with names, old and new values, and the
 * same PhysicalResourceId. The old id matters: after a refusal CloudFormation rolls back by sending this resource an Update
 * with the properties exchanged; a guard that only compares old with new would refuse that too, and leave the stack in
 * UPDATE_ROLLBACK_FAILED.
 * Delete: always succeeds.
 */
export const GUARD_TYPE = 'Custom::TidegateStudioGuard';
