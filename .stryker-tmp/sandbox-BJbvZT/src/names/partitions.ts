// @ts-nocheck
interface Partition {
  readonly name: string;
  /** Of its regions. */
  readonly regions: RegExp;
  /** What its endpoints' host names end in. */
  readonly dnsSuffix: string;
}

/** AWS's own, for every region that no other partition claims. */
const STANDARD: Partition = { name: "aws", regions: /^/, dnsSuffix: "amazonaws.com" };

/** @see https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html */
const PARTITIONS: readonly Partition[] = [
  { name: "aws-cn", regions: /^cn-/, dnsSuffix: "amazonaws.com.cn" },
  { name: "aws-us-gov", regions: /^us-gov-/, dnsSuffix: "amazonaws.com" },
  { name: "aws-iso", regions: /^us-iso-/, dnsSuffix: "c2s.ic.gov" },
  { name: "aws-iso-b", regions: /^us-isob-/, dnsSuffix: "sc2s.sgov.gov" },
  { name: "aws-iso-e", regions: /^eu-isoe-/, dnsSuffix: "cloud.adc-e.uk" },
  { name: "aws-iso-f", regions: /^us-isof-/, dnsSuffix: "csp.hci.ic.gov" },
  { name: "aws-eusc", regions: /^eusc-/, dnsSuffix: "amazonaws.eu" },
];

function find(region: string): Partition {
  return PARTITIONS.find(({ regions }) => regions.test(region)) ?? STANDARD;
}

/** The AWS partition of a region, e.g. `aws-cn` for `cn-north-1`. */
export function partitionOf(region: string): string {
  return find(region).name;
}

/** What the host names of a region's endpoints end in, e.g. `amazonaws.com.cn` for `cn-north-1`. */
export function dnsSuffix(region: string): string {
  return find(region).dnsSuffix;
}
