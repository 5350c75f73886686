"""The same rows as parquet files in several forms, by pyarrow 26: python make.py OUT."""
import datetime, json, os, sys
import pyarrow as pa, pyarrow.parquet as pq

rows = [
    dict(
        text=f'Row {i}, with "quotes", a tab\t, \u00e9, \u4e2d and \U0001f600' if i % 3 else 'plain', note=None if i % 2 else f'note {i}', label=i % 3,
        score=i / 8, right=i % 2 == 0, words=[f'w{k}' for k in range(i % 4)], pairs=[[i, k] for k in range(1 + i % 2)],
        choices=dict(text=['a', 'b', 'c'][: 2 + i % 2], label=['A', 'B', 'C'][: 2 + i % 2]),
        answers=[dict(text=f'answer {k}', answer_start=k) for k in range(i % 3)], holes=None if i == 4 else ['x', None, 'y'],
        big=2**53 + i, day=datetime.date(2020, 1, 1 + i), time=datetime.datetime(2020, 1, 1 + i, 12, 30),
    )
    for i in range(7)
]
strings, number = pa.list_(pa.string()), pa.int64()
schema = pa.schema(
    dict(
        text=pa.string(), note=pa.large_string(), label=number, score=pa.float64(), right=pa.bool_(), words=strings,
        pairs=pa.list_(pa.list_(pa.int32())), choices=pa.struct(dict(text=strings, label=strings)),
        answers=pa.list_(pa.struct(dict(text=pa.string(), answer_start=number))), holes=strings, big=number, day=pa.date32(),
        time=pa.timestamp('us'),
    ).items()
)
table = pa.Table.from_pylist(rows, schema)
forms = {
    'snappy': dict(compression='snappy'),
    'zstd-groups': dict(compression='zstd', row_group_size=3),
    'gzip-pages': dict(compression='gzip', data_page_version='2.0', use_dictionary=False, column_encoding={'text': 'DELTA_BYTE_ARRAY', 'label': 'DELTA_BINARY_PACKED'}),
    'plain': dict(compression='none', version='1.0', use_dictionary=False),
}
for name, options in forms.items(): pq.write_table(table, os.path.join(sys.argv[1], f'{name}.parquet'), **options)


def as_json(row):
    """Numbers that JavaScript's cannot hold are text, and so are times."""
    return {**row, 'big': str(row['big']), 'day': f"{row['day'].isoformat()}T00:00:00.000Z", 'time': f"{row['time'].isoformat()}.000Z"}


with open(os.path.join(sys.argv[1], 'rows.jsonl'), 'w') as file: file.writelines(f'{json.dumps(as_json(row))}\n' for row in rows)
