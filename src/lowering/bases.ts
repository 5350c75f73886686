/** How frozen weights may take part in products. */
export const bases = ['float32', 'int8'] as const
export type Base = (typeof bases)[number]
