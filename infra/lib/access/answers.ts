import * as apigateway from 'aws-cdk-lib/aws-apigateway';

/** What API Gateway answers by itself, in the form of the functions' own errors; of the request nothing is repeated but its number. */
const ANSWERS: readonly (readonly [type: apigateway.ResponseType, status: number, error: string, message: string])[] = [
  [apigateway.ResponseType.BAD_REQUEST_PARAMETERS, 400, 'bad-request', 'a parameter or header is missing'],
  [apigateway.ResponseType.BAD_REQUEST_BODY, 400, 'bad-request', 'the body is not what is accepted here'],
  [
    apigateway.ResponseType.UNAUTHORIZED,
    401,
    'unauthenticated',
    'sign in, and send the access token in `Authorization`',
  ],
  [apigateway.ResponseType.EXPIRED_TOKEN, 401, 'unauthenticated', 'the token has expired: sign in again'],
  [apigateway.ResponseType.ACCESS_DENIED, 403, 'forbidden', 'not from here, or not with this token'],
  [apigateway.ResponseType.WAF_FILTERED, 403, 'forbidden', 'refused by the firewall'],
  // A path that there is not: API Gateway asks for a token, and means this.
  [apigateway.ResponseType.MISSING_AUTHENTICATION_TOKEN, 404, 'not-found', 'there is nothing at this address'],
  [apigateway.ResponseType.RESOURCE_NOT_FOUND, 404, 'not-found', 'there is nothing at this address'],
  [apigateway.ResponseType.REQUEST_TOO_LARGE, 413, 'too-large', 'the request is too large'],
  [apigateway.ResponseType.UNSUPPORTED_MEDIA_TYPE, 415, 'unsupported', 'send a form or JSON, as documented'],
  [apigateway.ResponseType.THROTTLED, 429, 'throttled', 'too many requests: try again in a minute'],
  [apigateway.ResponseType.QUOTA_EXCEEDED, 429, 'throttled', 'too many requests: try again later'],
  [apigateway.ResponseType.INTEGRATION_TIMEOUT, 504, 'timeout', 'no answer in time: try again'],
  [apigateway.ResponseType.DEFAULT_4XX, 400, 'bad-request', 'the request is not accepted'],
  [apigateway.ResponseType.DEFAULT_5XX, 500, 'internal', 'something went wrong: try again, then tell the operator'],
];

/** Headers of every answer, as the functions set them. */
const HEADERS = {
  'Cache-Control': "'no-store'",
  'Referrer-Policy': "'no-referrer'",
  'X-Content-Type-Options': "'nosniff'",
};

/** Sets them. */
export function answers(api: apigateway.RestApi): void {
  for (const [type, status, error, message] of ANSWERS) {
    // What is said of every request of a kind keeps the status that API Gateway chose.
    const sums = type === apigateway.ResponseType.DEFAULT_4XX || type === apigateway.ResponseType.DEFAULT_5XX;
    api.addGatewayResponse(type.responseType, {
      type,
      ...(!sums && { statusCode: String(status) }),
      responseHeaders: HEADERS,
      templates: { 'application/json': JSON.stringify({ error, message, correlation: '$context.requestId' }) },
    });
  }
}
