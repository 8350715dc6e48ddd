/** Severity, text and remedy of the messages that are used, as in DMTF's Base message registry (DSP8011). `%n` are the arguments. */
const REGISTRY = {
  ActionParameterMissing: [
    "Critical",
    "The action '%1' requires that the parameter '%2' be present in the request body.",
    "Supply the action with the required parameter in the request body when the request is resubmitted.",
  ],
  ActionParameterValueNotInList: [
    "Warning",
    "The value '%1' for the parameter '%2' in the action '%3' is not in the list of acceptable values.",
    "Choose a value from the enumeration list that the implementation can support and resubmit the request if the operation failed.",
  ],
  InternalError: [
    "Critical",
    "The request failed due to an internal service error. The service is still operational.",
    "Resubmit the request. If the problem persists, consider resetting the service.",
  ],
  MalformedJSON: [
    "Critical",
    "The request body submitted was malformed JSON and could not be parsed by the receiving service.",
    "Ensure that the request body is valid JSON and resubmit the request.",
  ],
  NoValidSession: [
    "Critical",
    "There is no valid session established with the implementation.",
    "Establish a session before attempting any operations.",
  ],
  OperationNotAllowed: ["Critical", "The HTTP method is not allowed on this resource.", "None."],
  PropertyMissing: [
    "Warning",
    "The property '%1' is a required property and must be included in the request.",
    "Ensure that the property is in the request body and has a valid value and resubmit the request if the operation failed.",
  ],
  ResourceAtUriUnauthorized: [
    "Critical",
    "While accessing the resource at '%1', the service received an authorization error '%2'.",
    "Ensure that the appropriate access is provided for the service in order for it to access the URI.",
  ],
  ResourceInStandby: [
    "Critical",
    "The request could not be performed because the resource is in standby.",
    "Ensure that the resource is in the correct power state and resubmit the request.",
  ],
  ResourceInUse: [
    "Warning",
    "The change to the requested resource failed because the resource is in use or in transition.",
    "Remove the condition and resubmit the request if the operation failed.",
  ],
  ResourceMissingAtURI: [
    "Critical",
    "The resource at the URI '%1' was not found.",
    "Place a valid resource at the URI or correct the URI and resubmit the request.",
  ],
  SessionLimitExceeded: [
    "Critical",
    "The session establishment failed due to the number of simultaneous sessions exceeding the limit of the implementation.",
    "Reduce the number of other sessions before trying to establish the session or increase the limit of simultaneous sessions, if supported.",
  ],
} as const satisfies Record<string, readonly [string, string, string]>;

const STATUS = {
  ActionParameterMissing: 400,
  ActionParameterValueNotInList: 400,
  InternalError: 500,
  MalformedJSON: 400,
  NoValidSession: 401,
  OperationNotAllowed: 405,
  PropertyMissing: 400,
  ResourceAtUriUnauthorized: 401,
  ResourceInStandby: 409,
  ResourceInUse: 409,
  ResourceMissingAtURI: 404,
  SessionLimitExceeded: 503,
} as const satisfies Record<MessageName, number>;

export type MessageName = keyof typeof REGISTRY;

/** A request that a BMC refuses; it becomes an error response (DSP0266 §8.6). */
export class RedfishError extends Error {
  override readonly name = "RedfishError";
  readonly fault = "input";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;

  constructor(id: MessageName, args: readonly string[] = [], headers: Readonly<Record<string, string>> = {}) {
    const [severity, template, resolution] = REGISTRY[id];
    const text = template.replaceAll(/%(\d)/g, (_, n: string) => args[Number(n) - 1] ?? "");
    super(text);
    this.status = STATUS[id];
    this.headers = headers;
    const info = {
      "@odata.type": "#Message.v1_1_2.Message",
      MessageId: `Base.1.18.${id}`,
      Message: text,
      MessageArgs: args,
      MessageSeverity: severity,
      Resolution: resolution,
    };
    this.body = { error: { code: info.MessageId, message: text, "@Message.ExtendedInfo": [info] } };
  }
}
