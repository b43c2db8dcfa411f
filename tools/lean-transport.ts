// Loaded before the tests of a jest project: the etcd under test speaks HTTP/2 by hand (see kit/testing/etcd.ts).

process.env.KATA_ETCD_TRANSPORT = 'lean';
