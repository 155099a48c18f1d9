// @ts-nocheck
import { LambdaClient } from "@aws-sdk/client-lambda";
import { REGIONS } from "../../src/iam/regions";
import { dnsSuffix, partitionOf } from "../../src/names/partitions";

const { endpointProvider } = new LambdaClient({ region: "us-east-1" }).config;

test.each([
  ...Object.entries(REGIONS).flatMap(([partition, regions]) => regions.map((region) => [region, partition] as const)),
  ["mx-central-1", "aws"],
  ["us-iso-west-1", "aws-iso"],
  ["us-isob-east-1", "aws-iso-b"],
  ["us-isof-south-1", "aws-iso-f"],
  ["eu-isoe-west-1", "aws-iso-e"],
  ["eusc-de-east-1", "aws-eusc"],
  // Nobody has heard of it yet.
  ["xx-middle-9", "aws"],
] as const)("%s is in the partition %s, at the address that the AWS SDK knows", (region, partition) => {
  expect(partitionOf(region)).toBe(partition);
  expect(`lambda.${region}.${dnsSuffix(region)}`).toBe(endpointProvider({ Region: region }).url.hostname);
});
