/* No private macro outlives the implementation. */
/* amalgamate.py: #undef of every WCODECI_ macro */

#endif /* WCODEC_IMPLEMENTATION */
