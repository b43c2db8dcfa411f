import { describe, expect, it } from '@jest/globals';
import { type Caught, notCaught, notGreen, notRed, type Outcome } from './outcome.ts';

const test = (title: string, failure?: string): Outcome['testResults'][number] => ({
  title,
  fullName: `etcd 1.1 ${title}`,
  status: failure ? 'failed' : 'passed',
  failureMessages: failure ? [`${failure}\n    at somewhere`] : [],
});
const uncaught = { message: '', stack: 'Error: NotImplemented: 1.1 Put\n    at somewhere' };

describe('a proof', () => {
  it('is content with a stage that is red because of NotImplemented', () => {
    expect(notRed({ testResults: [test('puts', 'NotImplemented: 1.1 Put'), test('says its version')] })).toBeUndefined();
    expect(notRed({ testResults: [], testExecError: uncaught })).toBeUndefined();
  });

  it('is not content with a stage that is green on the starter', () => {
    expect(notRed({ testResults: [test('puts')] })).toContain('Every test passes on the starter');
  });

  it('names the test that is red for another reason', () => {
    const problem = notRed({ testResults: [test('puts', 'NotImplemented: 1.1 Put'), test('deletes', 'waited 10 s')] });
    expect(problem).toContain('etcd 1.1 deletes\n\nwaited 10 s');
    expect(problem).not.toContain('etcd 1.1 puts');
    expect(notRed({ testResults: [], testExecError: { message: 'Cannot find module', stack: '' } })).toContain('Cannot find module');
  });

  it('is not content with a stage that needs a later one', () => {
    expect(notGreen({ testResults: [test('puts')] })).toBeUndefined();
    expect(notGreen({ testResults: [test('puts'), test('deletes', 'NotImplemented: 1.2 Delete')] })).toContain(
      'NotImplemented: 1.2 Delete',
    );
    expect(notGreen({ testResults: [], testExecError: uncaught })).toContain('outside of any test');
  });

  const wrong: Caught = { misunderstanding: 'Keys.', caughtBy: 'puts', source: 'wrong/1.1.ts' };

  it('is content when the named test catches the wrong solution', () => {
    expect(notCaught(wrong, { testResults: [test('puts', 'expected 2'), test('deletes')] })).toBeUndefined();
    expect(notCaught(wrong, { testResults: [test('puts', 'expected 2')], testExecError: uncaught })).toBeUndefined();
  });

  it('is not content when the named test is red without the wrong solution, too, or has no result', () => {
    const red = { testResults: [test('puts', 'expected 2')] };
    expect(notCaught(wrong, red, 'expected 2')).toContain('"puts" fails without the wrong solution, too');
    expect(notCaught(wrong)).toContain('ends, or hangs, before "puts" has a result');
  });

  it('is not content when another test does, or none, or there is no such test', () => {
    expect(notCaught(wrong, { testResults: [test('puts'), test('deletes', 'expected 2')] })).toContain(
      'passes although the solution is wrong',
    );
    expect(notCaught(wrong, { testResults: [test('deletes')] })).toContain('no test named "puts"');
    expect(notCaught(wrong, { testResults: [], testExecError: uncaught })).toContain('does not run with it:\n\nError: NotImplemented');
  });
});
