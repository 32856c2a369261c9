/** Where the access logs of the buckets of Studio domains lie in the bucket of access logs. */
export const STUDIO_ACCESS_LOGS = 's3-access-logs/studio/';
