import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generateName } from '#api-server/names';
import { type ConfigMap, ConfigMaps, type Deployment, Deployments, type Pod, Pods } from '#kit/api';
import { seededRandom } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import { isConflict } from '#kit/status';
import { type ApiServerUnderTest, refusal, startApiServerUnderTest } from '#kit/testing/api-server';
import { pod } from '#kit/testing/builders';
import '#kit/testing/matchers';

const namespace = 'default';

function configMap(name: string, data: Record<string, string> = {}): ConfigMap {
  return { metadata: { name, namespace }, data };
}

function deployment(name: string): Deployment {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'echo', image: 'kubekata/echo:v1' }] } };
  return { metadata: { name, namespace }, spec: { replicas: 2, selector: { matchLabels: labels }, template } };
}

/** The same object, as a client that knows no version of it would send it. */
function unversioned<T extends { metadata?: object }>(object: T): T {
  return { ...object, metadata: { ...object.metadata, resourceVersion: '' } };
}

describe('API server', () =>
  describe('2.3 updates that lose nobody’s work', () => {
    let server: ApiServerUnderTest | undefined;
    beforeAll(async () => {
      server = await startApiServerUnderTest();
    });
    beforeEach(() => NotImplemented.forget());
    afterAll(() => server?.stop());
    const api = () => {
      if (!server) throw new Error('the API server did not start');
      return server;
    };
    const client = () => api().client;
    const get = (name: string) => client().get(ConfigMaps, { name, namespace });

    describe('a PUT', () => {
      it('replaces the object, and gives it the next resourceVersion', async () => {
        const created = await client().create(ConfigMaps, configMap('replaced', { old: '1' }));
        const updated = await client().update(ConfigMaps, { ...created, data: { new: '2' } });
        expect(updated.data).toEqual({ new: '2' });
        expect(Number(updated.metadata?.resourceVersion)).toBeGreaterThan(Number(created.metadata?.resourceVersion));
        expect(await get('replaced')).toEqual(updated);
      });

      it('of an old version is refused with 409 Conflict, and changes nothing', async () => {
        const created = await client().create(ConfigMaps, configMap('contested'));
        const first = await client().update(ConfigMaps, { ...created, data: { by: 'first' } });
        expect(await refusal(client().update(ConfigMaps, { ...created, data: { by: 'second' } }))).toMatchObject({
          code: 409,
          reason: 'Conflict',
          message:
            'Operation cannot be fulfilled on configmaps "contested": the object has been modified; ' +
            'please apply your changes to the latest version and try again',
          details: { name: 'contested', kind: 'configmaps' },
        });
        expect(await get('contested')).toEqual(first);
      });

      it('of a version from the future is refused as well: only the present one may be replaced', async () => {
        const created = await client().create(ConfigMaps, configMap('future'));
        const metadata = { ...created.metadata, resourceVersion: '999999' };
        expect((await refusal(client().update(ConfigMaps, { ...created, metadata }))).reason).toBe('Conflict');
      });

      it('without a version always gets through: its author wants to overwrite', async () => {
        const created = await client().create(ConfigMaps, configMap('overwritten'));
        await client().update(ConfigMaps, { ...created, data: { by: 'first' } });
        const updated = await client().update(ConfigMaps, unversioned({ ...created, data: { by: 'second' } }));
        expect(updated.data).toEqual({ by: 'second' });
      });

      it('that changes nothing writes nothing', async () => {
        const created = await client().create(ConfigMaps, configMap('unchanged', { a: '1' }));
        const updated = await client().update(ConfigMaps, created);
        expect(updated.metadata?.resourceVersion).toBe(created.metadata?.resourceVersion);
      });

      it('to a name that is not there is 404', async () => {
        const status = await refusal(client().update(ConfigMaps, configMap('absent')));
        expect(status).toMatchObject({ code: 404, message: 'configmaps "absent" not found' });
      });

      it('whose body has another name than its URL is 400', async () => {
        await client().create(ConfigMaps, configMap('named'));
        const path = `/api/v1/namespaces/${namespace}/configmaps/named`;
        const { code, body } = await api().send({ method: 'PUT', path, body: configMap('other') });
        expect(code).toBe(400);
        expect(body.message).toBe('the name of the object (other) does not match the name on the URL (named)');
      });

      it('meant for an object that was deleted and made anew is refused: it has another uid', async () => {
        const first = await client().create(ConfigMaps, configMap('remade', { of: 'first' }));
        await client().delete(ConfigMaps, { name: 'remade', namespace });
        const second = await client().create(ConfigMaps, configMap('remade', { of: 'second' }));
        const status = await refusal(client().update(ConfigMaps, unversioned(first)));
        expect(status.reason).toBe('Conflict');
        expect(status.message).toContain(`UID in precondition: ${first.metadata?.uid}, UID in object meta: ${second.metadata?.uid}`);
        expect((await get('remade')).data).toEqual({ of: 'second' });
      });

      it('cannot change who an object is: uid and creationTimestamp stay', async () => {
        const created = await client().create(ConfigMaps, configMap('identity'));
        const { uid, ...metadata } = { ...created.metadata, creationTimestamp: '2001-01-01T00:00:00Z' };
        const updated = await client().update(ConfigMaps, { ...created, metadata, data: { a: '1' } });
        expect(updated.metadata?.uid).toBe(uid);
        expect(updated.metadata?.creationTimestamp).toBe(created.metadata?.creationTimestamp);
      });
    });

    describe('no work is lost', () => {
      it('when many read, change, and write: whoever was too late hears of it', async () => {
        await client().create(ConfigMaps, configMap('counter', { count: '0' }));
        const writers = 6;
        const increments = 5;
        let conflicts = 0;
        const increment = async () => {
          const found = await get('counter');
          await client().update(ConfigMaps, { ...found, data: { count: String(Number(found.data?.count) + 1) } });
        };
        const incrementOnce = async () => {
          for (let attempt = 0; attempt < 200; attempt++) {
            try {
              return await increment();
            } catch (error) {
              if (!isConflict(error)) throw error;
              conflicts++;
            }
          }
          throw new Error('200 conflicts in a row: does any update get through?');
        };
        await Promise.all(
          Array.from({ length: writers }, async () => {
            for (let done = 0; done < increments; done++) await incrementOnce();
          }),
        );
        expect(Number((await get('counter')).data?.count)).toBeAllOf(writers * increments);
        expect(conflicts).toBeGreaterThan(0);
      });

      it('when a spec and a status are written at the same moment, without a version: both get through', async () => {
        const created = await client().create(Deployments, deployment('two-authors'));
        const replicas = [3, 4, 5, 6, 7];
        const writes = replicas.flatMap((count) => [
          client().update(
            Deployments,
            unversioned({ ...created, spec: { ...created.spec, replicas: count } as Deployment['spec'] & object }),
          ),
          client().updateStatus(Deployments, unversioned({ ...created, status: { replicas: count } })),
        ]);
        const versions = (await Promise.all(writes)).map(({ metadata }) => metadata?.resourceVersion);
        expect(new Set(versions).size).toBe(writes.length);
        const { metadata, spec, status } = await client().get(Deployments, { name: 'two-authors', namespace });
        expect(replicas).toContain(spec?.replicas);
        expect(replicas).toContain(status?.replicas);
        expect(metadata?.generation).toBe(1 + replicas.length);
      });

      it('when many overwrite without a version: each gets through, and the last one stays', async () => {
        const created = await client().create(ConfigMaps, configMap('crowded'));
        const authors = Array.from({ length: 10 }, (_, index) => String(index));
        const updates = await Promise.all(authors.map((by) => client().update(ConfigMaps, unversioned({ ...created, data: { by } }))));
        const versions = updates.map(({ metadata }) => Number(metadata?.resourceVersion));
        expect(new Set(versions).size).toBe(authors.length);
        const last = updates[versions.indexOf(Math.max(...versions))];
        expect((await get('crowded')).data).toEqual(last?.data);
      });

      it('when somebody deletes an object that is not the one that was meant', async () => {
        const created = await client().create(ConfigMaps, configMap('spared'));
        const status = await refusal(client().delete(ConfigMaps, { name: 'spared', namespace }, { preconditions: { uid: 'another' } }));
        expect(status.reason).toBe('Conflict');
        const old = { resourceVersion: created.metadata?.resourceVersion ?? '' };
        await client().update(ConfigMaps, { ...created, data: { a: '1' } });
        expect((await refusal(client().delete(ConfigMaps, { name: 'spared', namespace }, { preconditions: old }))).reason).toBe('Conflict');
        expect((await get('spared')).data).toEqual({ a: '1' });
      });
    });

    describe('generation counts what was wanted', () => {
      const current = (name: string) => client().get(Deployments, { name, namespace });

      it('from 1', async () => {
        expect((await client().create(Deployments, deployment('born'))).metadata?.generation).toBe(1);
      });

      it('up by one when the spec changes', async () => {
        const created = await client().create(Deployments, deployment('changed'));
        const updated = await client().update(Deployments, {
          ...created,
          spec: { ...created.spec, replicas: 3 } as Deployment['spec'] & object,
        });
        expect(updated.metadata?.generation).toBe(2);
      });

      it('not when labels change', async () => {
        const created = await client().create(Deployments, deployment('labelled'));
        const metadata = { ...created.metadata, labels: { a: 'b' } };
        const updated = await client().update(Deployments, { ...created, metadata });
        expect(updated.metadata?.labels).toEqual({ a: 'b' });
        expect(updated.metadata?.generation).toBe(1);
      });

      it('not when the status changes', async () => {
        const created = await client().create(Deployments, deployment('reported'));
        const updated = await client().updateStatus(Deployments, { ...created, status: { observedGeneration: 1, replicas: 2 } });
        expect(updated.metadata?.generation).toBe(1);
      });

      it('whatever the author says', async () => {
        const created = await client().create(Deployments, {
          ...deployment('claimed'),
          metadata: { name: 'claimed', namespace, generation: 7 },
        });
        expect(created.metadata?.generation).toBe(1);
        await client().update(Deployments, { ...created, metadata: { ...created.metadata, generation: 9, labels: { a: 'b' } } });
        expect((await current('claimed')).metadata?.generation).toBe(1);
      });

      it('only for kinds that have a spec', async () => {
        const created = await client().create(ConfigMaps, { metadata: { name: 'plain', namespace }, data: { a: '1' } });
        const changed = await client().update(ConfigMaps, { ...created, data: { a: '2' } });
        expect(changed.metadata).not.toHaveProperty('generation');
      });
    });

    describe('spec and status have different authors', () => {
      const report = { replicas: 2, readyReplicas: 2 };

      it('so a create brings no status: what was never run has nothing to report', async () => {
        const created = await client().create(Deployments, { ...deployment('dreaming'), status: report });
        expect(created.status?.replicas).toBeUndefined();
      });

      it('so an update keeps the status, whatever it says', async () => {
        const created = await client().create(Deployments, deployment('kept-status'));
        const reported = await client().updateStatus(Deployments, { ...created, status: report });
        const { status: _, ...withoutStatus } = reported;
        const spec = { ...created.spec, replicas: 5 } as Deployment['spec'] & object;
        const updated = await client().update(Deployments, { ...withoutStatus, spec });
        expect(updated.status).toEqual(report);
        const lied = await client().update(Deployments, { ...updated, status: { replicas: 99 } });
        expect(lied.status).toEqual(report);
      });

      it('so an update of the status keeps the spec and the labels, whatever it says', async () => {
        const created = await client().create(Deployments, deployment('kept-spec'));
        const metadata = { ...created.metadata, labels: { forged: 'yes' } };
        const spec = { ...created.spec, replicas: 99 } as Deployment['spec'] & object;
        const updated = await client().updateStatus(Deployments, { ...created, metadata, spec, status: report });
        expect(updated.status).toEqual(report);
        expect(updated.spec).toEqual(created.spec);
        expect(updated.metadata?.labels).toEqual(created.metadata?.labels);
      });

      it('but the annotations go with the status: a controller notes there what it must remember', async () => {
        const created = await client().create(Deployments, deployment('noted'));
        const annotations = { 'deployment.kubernetes.io/revision': '3' };
        const updated = await client().updateStatus(Deployments, {
          ...created,
          metadata: { ...created.metadata, annotations },
          status: report,
        });
        expect(updated.metadata).toMatchObject({ annotations, generation: 1, uid: created.metadata?.uid });
      });

      it('and an update of the status is refused when it comes too late, like any other', async () => {
        const created = await client().create(Deployments, deployment('late-report'));
        await client().updateStatus(Deployments, { ...created, status: { replicas: 1 } });
        expect((await refusal(client().updateStatus(Deployments, { ...created, status: report }))).reason).toBe('Conflict');
      });

      it('and both can be written by turns from one version to the next', async () => {
        const { metadata, spec } = pod('turns');
        const created = await client().create<Pod>(Pods, { metadata, spec });
        const running = await client().updateStatus(Pods, { ...created, status: { phase: 'Running' } });
        const named = await client().update(Pods, { ...running, metadata: { ...running.metadata, labels: { a: 'b' } } });
        expect([named.status?.phase, named.metadata?.labels]).toEqual(['Running', { a: 'b' }]);
      });
    });

    describe('generateName', () => {
      it('appends five characters that spell no word', () => {
        for (let seed = 0; seed < 50; seed++)
          expect(generateName('web-', seededRandom(seed))).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      });

      it('cuts a long base: the name still fits into a label', () => {
        const name = generateName('a'.repeat(70), seededRandom(1));
        expect(name).toHaveLength(63);
        expect(name.slice(0, 58)).toBe('a'.repeat(58));
      });

      it('gives every object a name of its own', async () => {
        const create = () => client().create(ConfigMaps, { metadata: { generateName: 'web-', namespace } });
        const created = await Promise.all(Array.from({ length: 20 }, create));
        const names = created.map(({ metadata }) => metadata?.name ?? '');
        expect(new Set(names).size).toBe(20);
        expect(names.filter((name) => !/^web-.{5}$/.test(name))).toEqual([]);
        expect(created[0]?.metadata?.generateName).toBe('web-');
      });

      it('is ignored where there is a name', async () => {
        const created = await client().create(ConfigMaps, { metadata: { name: 'chosen', generateName: 'web-', namespace } });
        expect(created.metadata?.name).toBe('chosen');
      });
    });

    it('does everything but write on dryRun=All', async () => {
      const created = await client().create(ConfigMaps, configMap('rehearsed', { a: '1' }));
      const path = `/api/v1/namespaces/${namespace}/configmaps/rehearsed?dryRun=All`;
      const { code, body } = await api().send({ method: 'PUT', path, body: { ...created, data: { a: '2' } } });
      expect([code, body.data]).toEqual([200, { a: '2' }]);
      expect(await get('rehearsed')).toEqual(created);
    });
  }));
