/** The part of JSON Schema draft-07 that is checked. A schema that says more says it in vain. */
export interface Schema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly default?: unknown;
  /** Of objects that tell themselves apart by the values that `type` may have. */
  readonly oneOf?: readonly Schema[];
  /** `#/definitions/NAME` of the whole schema. */
  readonly $ref?: string;
  readonly definitions?: Readonly<Record<string, Schema>>;
}
