import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { accuracy, classificationMetrics, f1, matthews, pearson, regressionMetrics, spearman } from './index.ts'

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}, expected ${expected}`)

// Expected numbers: scikit-learn (accuracy_score, f1_score, matthews_corrcoef) and scipy (pearsonr, spearmanr).
const two = { predictions: [0, 1, 1, 0, 1, 1, 0, 0, 1, 0], labels: [0, 1, 0, 0, 1, 1, 1, 0, 1, 1] }
const three = { predictions: [0, 1, 2, 2, 1, 0, 2, 1, 0, 2, 3, 0], labels: [0, 2, 2, 1, 1, 0, 2, 0, 0, 2, 1, 1] }
const scores = { predictions: [2.5, 0.1, 3.3, 4.8, 2.5, 1, 5, 3.3], labels: [3, 0.5, 3, 4.5, 2, 1, 4, 2] }

test('two classes, as scikit-learn', () => {
  near(accuracy(two.predictions, two.labels), 0.7)
  near(f1(two.predictions, two.labels, 2), 0.7272727272727273)
  near(matthews(two.predictions, two.labels, 2), 0.408248290463863)
})

test('several classes, as scikit-learn, also when a class never occurs', () => {
  for (const classes of [4, 6]) {
    near(f1(three.predictions, three.labels, classes), 0.4464285714285714)
    near(matthews(three.predictions, three.labels, classes), 0.40422604172722165)
  }
  near(accuracy(three.predictions, Int32Array.from(three.labels)), 7 / 12)
})

test('correlations with ties, as scipy', () => {
  near(pearson(scores.predictions, scores.labels), 0.9360740081094105)
  near(spearman(scores.predictions, scores.labels), 0.8780487804878049)
  assert.deepEqual(regressionMetrics(scores.predictions, scores.labels), {
    pearson: pearson(scores.predictions, scores.labels),
    spearman: spearman(scores.predictions, scores.labels),
    correlation: (0.9360740081094105 + 0.8780487804878049) / 2,
  })
})

test('undefined values are 0, a NaN stays one', () => {
  assert.equal(matthews([1, 1, 1], [0, 1, 0], 2), 0)
  assert.equal(f1([0, 0], [0, 0], 2), 0)
  for (const correlation of [pearson, spearman]) {
    assert.equal(correlation([0.1, 0.1, 0.1], [1, 2, 3]), 0)
    assert.equal(correlation([1, 2, 3], [7, 7, 7]), 0)
    assert.equal(correlation([1], [2]), 0)
    assert.ok(Number.isNaN(correlation([1, NaN, 2], [1, 2, 3])))
  }
})

test('logits of [rows, classes] are judged by their largest entry', () => {
  const logits = Float32Array.from([0, 1, 0, 5, 5, -1, -3, -2, -1])
  assert.equal(classificationMetrics(logits, 3, [1, 0, 2]).accuracy, 1)
  assert.equal(classificationMetrics(logits, 3, [1, 1, 0]).accuracy, 1 / 3)
  assert.throws(() => classificationMetrics(logits, 3, [1, 0]), RangeError)
  assert.throws(() => classificationMetrics(logits, 3, [1, 0, 3]), RangeError)
})

test('lists of different length and empty lists are refused', () => {
  for (const metric of [accuracy, pearson, spearman]) {
    assert.throws(() => metric([1], [1, 2]), RangeError)
    assert.throws(() => metric([], []), RangeError)
  }
})

test('matthews of two classes is the Pearson correlation of their indices, and 1 only for a perfect prediction', () => {
  const bits = fc.array(fc.tuple(fc.nat(1), fc.nat(1)), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(bits, (rows) => {
      const [predictions, labels] = [rows.map(([p]) => p), rows.map(([, l]) => l)]
      assert.ok(Math.abs(matthews(predictions, labels, 2) - pearson(predictions, labels)) < 1e-9)
    }),
  )
})

test('spearman is pearson of ranks: an increasing map of the predictions changes nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.nat(5)), { minLength: 2 }), (rows) => {
      const [x, y] = [rows.map(([a]) => a), rows.map(([, b]) => b)]
      assert.ok(
        Math.abs(
          spearman(x, y) -
            spearman(
              x.map((v) => Math.exp(v)),
              y,
            ),
        ) < 1e-9,
      )
    }),
  )
})
