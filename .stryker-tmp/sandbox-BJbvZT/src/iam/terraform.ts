// @ts-nocheck
import { PRINCIPAL_ARN, UNQUALIFIED_FUNCTION_ARN } from "../names/grammar";
import type { InvokerRole } from "./invoker-role";
import { roleName } from "./role";

/**
 * The role as a Terraform module: variables as in the CloudFormation template, output `role_arn`.
 *
 * @param role fills in the variables' defaults; without it, they have to be given
 * @returns HCL
 */
export function terraformModule(role?: InvokerRole): string {
  const { name, path } = roleName(role ?? {});
  const filledIn = (value: unknown) => (value === undefined ? "" : `\n  default     = ${asHcl(value)}`);
  return `terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "router_principal_arn" {
  description = "ARN of the IAM role or user that the router runs as."
  type        = string${filledIn(role?.principalArn)}

  validation {
    condition     = can(regex("^${PRINCIPAL_ARN}$", var.router_principal_arn))
    error_message = "Must be the ARN of an IAM role or user."
  }
}

variable "external_ids" {
  description = "External IDs that the router sends, one per source."
  type        = list(string)${filledIn(role?.externalIds)}

  validation {
    condition     = length(var.external_ids) > 0 && alltrue([for id in var.external_ids : can(regex("^[A-Za-z0-9_+=,.@:/-]{2,}$", id))])
    error_message = "Must be at least one ID, of letters, digits or any of _+=,.@:/-."
  }
}

variable "lambda_arns" {
  description = "ARNs of the functions, without version or alias."
  type        = list(string)${filledIn(role?.functionArns)}

  validation {
    condition     = length(var.lambda_arns) > 0 && alltrue([for arn in var.lambda_arns : can(regex("^${UNQUALIFIED_FUNCTION_ARN}$", arn))])
    error_message = "Must be ARNs of Lambda functions without version or alias."
  }
}

variable "role_name" {
  description = "Name of the role; null, and one is chosen."
  type        = string
  default     = ${JSON.stringify(name ?? null)}
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary that your organisation demands of its roles; null for none."
  type        = string
  default     = null
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = [var.router_principal_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = var.external_ids
    }
  }

  # For a router whose identity has session tags (EKS Pod Identity); alone it lets nobody in.
  statement {
    actions = ["sts:TagSession"]

    principals {
      type        = "AWS"
      identifiers = [var.router_principal_arn]
    }
  }
}

data "aws_iam_policy_document" "invoke" {
  statement {
    actions = ["lambda:InvokeFunction"]
    # Each ARN as it is, and with :* for the function's versions and aliases.
    resources = flatten([for arn in var.lambda_arns : [arn, "\${arn}:*"]])
  }
}

resource "aws_iam_role" "invoker" {
  name                 = var.role_name
  name_prefix          = var.role_name == null ? "amazon-lambda-destination-" : null${path ? `\n  path                 = ${JSON.stringify(path)}` : ""}
  description          = "Invokes Lambda functions for an event router (amazon-lambda-destination)."
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "invoke" {
  name   = "InvokeFunctions"
  role   = aws_iam_role.invoker.id
  policy = data.aws_iam_policy_document.invoke.json
}

output "role_arn" {
  description = "The destination's Role Address."
  value       = aws_iam_role.invoker.arn
}
`;
}

/** A text or a list of texts as `terraform fmt` leaves them. No name at AWS holds what Terraform would read as a template. */
function asHcl(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(asHcl).join(", ")}]` : JSON.stringify(value);
}
