"""A bucket named `clinic` that computes every signature itself, as botocore does, and refuses what doesn't match:
`moto` with its authentication on. Says port, access key and secret; lives until standard input ends."""

import json
import logging
import os
import sys

os.environ.update(AWS_ACCESS_KEY_ID="setup", AWS_SECRET_ACCESS_KEY="setup", AWS_DEFAULT_REGION="us-east-1")

import boto3
import requests
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
_, port = server.get_host_and_port()
base = f"http://127.0.0.1:{port}"
iam, s3 = (boto3.client(name, endpoint_url=base) for name in ("iam", "s3"))
s3.create_bucket(Bucket="clinic")
iam.create_user(UserName="anteroom")
allowed = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"]
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": allowed, "Resource": "*"}]}
iam.put_user_policy(UserName="anteroom", PolicyName="files", PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName="anteroom")["AccessKey"]
# From here on everybody is asked who they are.
requests.post(f"{base}/moto-api/reset-auth", data="0", timeout=10).raise_for_status()
print(json.dumps({"port": port, "access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}), flush=True)
sys.stdin.read()
os._exit(0)
