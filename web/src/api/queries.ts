// What pages ask of the REST interface, kept while they are open. Live things are not
// here: they come over the stream.
import { QueryClient } from '@tanstack/react-query'
import { ApiError } from './client'

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // An answer that says no says it again; silence is asked once more.
      retry: (failures, error) => failures < 1 && error instanceof ApiError && error.status === 0,
      refetchOnWindowFocus: true,
      staleTime: 2_000,
      gcTime: 60_000,
    },
    mutations: { retry: false },
  },
})
